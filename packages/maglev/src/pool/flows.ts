import type { Key } from '../key-hash.ts'
import type { Clock, Random } from '../ports.ts'
import type { FlowStats } from './status.ts'
import { FlowTracker } from './tracker.ts'

/** Runs a flow tracker on a clock, and counts. */
export class Flows {
  readonly #tracker: FlowTracker
  readonly #clock: Clock
  readonly #usable: (id: string) => boolean
  #hits = 0
  #misses = 0
  #full = 0

  /** `usable` says whether a backend may go on with the flows that it has. */
  constructor(
    options: { readonly capacity: number; readonly ttl: number },
    { clock, random }: { readonly clock: Clock; readonly random: Random },
    usable: (id: string) => boolean,
  ) {
    const secret = Uint8Array.from({ length: 16 }, () => Math.floor(random.next() * 256))
    this.#tracker = new FlowTracker(options, secret)
    this.#clock = clock
    this.#usable = usable
  }

  /** The backend of a flow. One that is excluded loses it. */
  find(flow: Key, exclude: ReadonlySet<string> | undefined): string | undefined {
    const id = this.#tracker.find(flow, this.#clock.monotonic(), this.#usable)
    if (id === undefined) this.#misses++
    else if (exclude?.has(id) === true) this.#tracker.forget(flow)
    else {
      this.#hits++
      return id
    }
    return undefined
  }

  track(flow: Key, id: string): void {
    if (!this.#tracker.track(flow, id, this.#clock.monotonic())) this.#full++
  }

  /** How many flows a backend has, those apart that have expired. */
  count(id: string): number {
    this.#tracker.expire(this.#clock.monotonic())
    return this.#tracker.flowsOf(id)
  }

  stats(): FlowStats {
    const { size, capacity } = this.#tracker
    return { size, capacity, hits: this.#hits, misses: this.#misses, full: this.#full }
  }
}
