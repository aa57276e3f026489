/** The rules of a native circuit by brute force: all that ever happened is kept, and looked through each time. */
export interface ModelOptions {
  readonly volumeThreshold: number
  readonly errorThreshold: number
  readonly sleepWindow: number
  readonly probes: number
  readonly successThreshold: number
  readonly probeConcurrency: number
  readonly probeTimeout: number
  readonly window:
    | { readonly type: 'time'; readonly size: number; readonly buckets: number }
    | { readonly type: 'count'; readonly size: number }
}

export type ModelState = 'closed' | 'open' | 'half-open'

interface ModelCall {
  readonly era: number
  readonly probe: boolean
  readonly at: number
  done: boolean
}

export class BreakerModel {
  readonly #options: ModelOptions
  readonly calls: ModelCall[] = []
  #era = 0
  #state: ModelState = 'closed'
  #since = 0
  #results: { era: number; at: number; failed: boolean }[] = []
  #ignored = 0
  #wait = 0
  /** Whether probes may begin. */
  gate = true

  constructor(options: ModelOptions) {
    this.#options = options
  }

  state(now: number): ModelState {
    this.#expire(now)
    return this.#state
  }

  acquire(now: number): number | undefined {
    this.#expire(now)
    const { probes, probeConcurrency } = this.#options
    if (this.#state === 'open' && this.gate && now - this.#since >= this.#wait) this.#go('half-open', now)
    if (this.#state === 'open') return undefined
    const probe = this.#state === 'half-open'
    if (probe) {
      if (!this.gate) return undefined
      const given = this.calls.filter(({ era }) => era === this.#era).length - this.#ignored
      if (given >= probes || this.#out().length >= probeConcurrency) return undefined
    }
    return this.calls.push({ era: this.#era, probe, at: now, done: false }) - 1
  }

  settle(index: number, outcome: 'success' | 'failure' | 'ignore', now: number): void {
    this.#expire(now)
    const call = this.calls[index]
    if (call === undefined || call.done) return
    call.done = true
    if (call.era !== this.#era) return
    if (outcome === 'ignore') this.#ignored++
    else this.#result(outcome === 'failure', now)
  }

  openWithFleet(wait: number, now: number): void {
    this.#expire(now)
    if (this.#state !== 'open') this.#go('open', now)
    this.#since = now
    this.#wait = wait
  }

  closeWithFleet(now: number): void {
    this.#expire(now)
    if (this.#state !== 'closed') this.#go('closed', now)
  }

  #result(failed: boolean, at: number): void {
    this.#results.push({ era: this.#era, at, failed })
    const mine = this.#results.filter(({ era }) => era === this.#era)
    if (this.#state === 'half-open') {
      const { probes, successThreshold } = this.#options
      const failures = mine.filter((each) => each.failed).length
      if (mine.length - failures >= successThreshold) this.#go('closed', at)
      else if (failures > probes - successThreshold) this.#go('open', at)
      return
    }
    const { window, volumeThreshold, errorThreshold } = this.#options
    const held =
      window.type === 'count'
        ? mine.slice(-window.size)
        : mine.filter((each) => {
            const slice = window.size / window.buckets
            return Math.floor(at / slice) - Math.floor(each.at / slice) < window.buckets
          })
    const volume = window.type === 'count' ? Math.min(volumeThreshold, window.size) : volumeThreshold
    const failures = held.filter((each) => each.failed).length
    if (held.length > 0 && held.length >= volume && failures / held.length >= errorThreshold)
      this.#go('open', at)
  }

  #expire(now: number): void {
    for (;;) {
      const [first] = this.#state === 'half-open' ? this.#out() : []
      if (first === undefined || first.at + this.#options.probeTimeout > now) return
      first.done = true
      this.#result(true, first.at + this.#options.probeTimeout)
    }
  }

  #out(): ModelCall[] {
    return this.calls.filter(({ era, done }) => era === this.#era && !done)
  }

  #go(state: ModelState, at: number): void {
    this.#state = state
    this.#since = at
    this.#wait = this.#options.sleepWindow
    this.#era++
    this.#ignored = 0
  }
}
