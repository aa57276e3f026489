import { reached } from './judge.ts'
import type { Stalls } from './local-fault/loop-watch.ts'
import type { PermitFields } from './permit.ts'
import type { CircuitSettings } from './settings.ts'

/** What time does by itself: a lease expires, or else the state is over. */
interface Due {
  readonly at: number
  readonly expired: PermitFields | undefined
}

/** The permits and outcomes of one half-open state that began at `since`. */
export class HalfOpen {
  readonly #settings: CircuitSettings
  readonly #since: number
  readonly #stalls: Stalls | undefined
  // In the order of their leases' ends: all leases are equally long.
  readonly #out = new Set<PermitFields>()
  #issued = 0
  #total = 0
  #failures = 0
  #slow = 0

  constructor(settings: CircuitSettings, since: number, stalls: Stalls | undefined) {
    this.#settings = settings
    this.#since = since
    this.#stalls = stalls
  }

  get out(): number {
    return this.#out.size
  }

  get admits(): boolean {
    return this.#issued < this.#settings.probes && this.#out.size < this.#settings.probeConcurrency
  }

  issue(probe: PermitFields): void {
    this.#issued++
    this.#out.add(probe)
  }

  /** The permit comes back as if it had never been given. */
  giveBack(probe: PermitFields): void {
    if (this.#out.delete(probe)) this.#issued--
  }

  /** The outcome of a probe, and what the circuit becomes of it. */
  record(probe: PermitFields, failed: boolean, slow: boolean): 'closed' | 'open' | undefined {
    this.#out.delete(probe)
    this.#total++
    if (failed) this.#failures++
    if (slow) this.#slow++
    return this.#settings.halfOpen === 'rate' ? this.#byRate() : this.#bySuccesses()
  }

  /** The first thing that time does by itself, up to `now`. */
  due(now: number): Due | undefined {
    const next = this.#next(now)
    return next.at <= now ? next : undefined
  }

  /** Milliseconds until a lease or this state ends by itself; undefined where nothing does. */
  wait(now: number): number | undefined {
    const { at } = this.#next(now)
    return at === Infinity ? undefined : Math.max(0, at - now)
  }

  // Leases end in the order of their beginnings all the same: of a stall, the older one has had at least as much.
  #next(now: number): Due {
    const { probeTimeout, halfOpenMax } = this.#settings
    const [oldest] = this.#out
    const lease = oldest === undefined ? Infinity : this.#endOf(oldest.startedAt, probeTimeout, now)
    const until = this.#endOf(this.#since, halfOpenMax, now)
    return { at: Math.min(lease, until), expired: lease < until ? oldest : undefined }
  }

  #endOf(start: number, length: number, now: number): number {
    return start + length + (this.#stalls?.between(start, now) ?? 0)
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
