import { reached } from './judge.ts'
import type { Permit } from './permit.ts'
import type { CircuitSettings } from './settings.ts'

/** The permits and outcomes of one half-open state that began at `since`. */
export class HalfOpen {
  readonly #settings: CircuitSettings
  readonly #until: number
  // In the order of their leases' ends: all leases are equally long.
  readonly #out = new Set<Permit>()
  #issued = 0
  #total = 0
  #failures = 0
  #slow = 0

  constructor(settings: CircuitSettings, since: number) {
    this.#settings = settings
    this.#until = since + settings.halfOpenMax
  }

  get out(): number {
    return this.#out.size
  }

  get admits(): boolean {
    return this.#issued < this.#settings.probes && this.#out.size < this.#settings.probeConcurrency
  }

  issue(probe: Permit): void {
    this.#issued++
    this.#out.add(probe)
  }

  /** The permit comes back as if it had never been given. */
  giveBack(probe: Permit): void {
    if (this.#out.delete(probe)) this.#issued--
  }

  /** The outcome of a probe, and what the circuit becomes of it. */
  record(probe: Permit, failed: boolean, slow: boolean): 'closed' | 'open' | undefined {
    this.#out.delete(probe)
    this.#total++
    if (failed) this.#failures++
    if (slow) this.#slow++
    return this.#settings.halfOpen === 'rate' ? this.#byRate() : this.#bySuccesses()
  }

  /** The first thing that time does by itself, up to `now`. */
  due(now: number): { readonly at: number; readonly expired: Permit | undefined } | undefined {
    const [oldest] = this.#out
    const lease = oldest === undefined ? Infinity : oldest.startedAt + this.#settings.probeTimeout
    const at = Math.min(lease, this.#until)
    return at <= now ? { at, expired: lease < this.#until ? oldest : undefined } : undefined
  }

  /** Milliseconds until a lease or this state ends by itself; undefined where nothing does. */
  wait(now: number): number | undefined {
    const next = this.due(Infinity)
    return next === undefined || next.at === Infinity ? undefined : Math.max(0, next.at - now)
  }

  // Opens as soon as the successes can no longer be reached.
  #bySuccesses(): 'closed' | 'open' | undefined {
    const { probes, successThreshold, halfOpen } = this.#settings
    const enough = this.#total - this.#failures >= successThreshold
    if (enough && (halfOpen !== 'all' || this.#total === probes)) return 'closed'
    return probes - this.#failures < successThreshold ? 'open' : undefined
  }

  #byRate(): 'closed' | 'open' | undefined {
    const volume = Math.min(this.#settings.volumeThreshold, this.#settings.probes)
    if (this.#total < volume) return undefined
    const counts = { total: this.#total, failures: this.#failures, slow: this.#slow }
    return reached(this.#settings, counts, volume) === undefined ? 'closed' : 'open'
  }
}
