import { Slices } from '../window/slices.ts'
import { type CallEvent, callEvents, forEachEvent } from './call-event.ts'

/** How often each event happened. */
export type EventCounts = Readonly<Record<CallEvent, number>>

// Of a slice; the last field is the most calls that ran at once.
const fields = callEvents.length + 1
const mostRunning = callEvents.length

/** The events of the last `size` milliseconds in `slices`, and all since it was made. Buffers come with the first one. */
export class EventCounter {
  readonly #slices: Slices
  #ring: Uint32Array | undefined
  #totals: Float64Array | undefined
  readonly #clear = (place: number): void => {
    this.#ring?.fill(0, place * fields, (place + 1) * fields)
  }

  constructor(size: number, slices: number) {
    this.#slices = new Slices(size, slices)
  }

  /** An event, by its place in `callEvents`, at monotonic `now`. */
  add(now: number, place: number): void {
    const ring = (this.#ring ??= new Uint32Array(this.#slices.count * fields))
    const totals = (this.#totals ??= new Float64Array(callEvents.length))
    this.#slices.advance(now, this.#clear)
    const at = this.#slices.place * fields + place
    ring[at] = (ring[at] ?? 0) + 1
    totals[place] = (totals[place] ?? 0) + 1
  }

  /** The event that ends one of `running` calls: the most calls that ran at once are seen when the first of them ends. */
  end(now: number, place: number, running: number): void {
    this.add(now, place)
    const ring = this.#ring
    if (ring === undefined) return
    const at = this.#slices.place * fields + mostRunning
    if (running > (ring[at] ?? 0)) ring[at] = running
  }

  rolling(now: number): EventCounts {
    this.#slices.advance(now, this.#clear)
    return withThrown(
      forEachEvent((place) => {
        let sum = 0
        for (let slice = 0; slice < this.#slices.count; slice++)
          sum += this.#ring?.[slice * fields + place] ?? 0
        return sum
      }),
    )
  }

  total(): EventCounts {
    return withThrown(forEachEvent((place) => this.#totals?.[place] ?? 0))
  }

  rollingMaxRunning(now: number): number {
    this.#slices.advance(now, this.#clear)
    let most = 0
    for (let slice = 0; slice < this.#slices.count; slice++)
      most = Math.max(most, this.#ring?.[slice * fields + mostRunning] ?? 0)
    return most
  }
}

// Hystrix does not count EXCEPTION_THROWN, but sums up what produces one.
function withThrown(counts: Record<CallEvent, number>): EventCounts {
  counts.EXCEPTION_THROWN =
    counts.BAD_REQUEST +
    counts.FALLBACK_DISABLED +
    counts.FALLBACK_FAILURE +
    counts.FALLBACK_MISSING +
    counts.FALLBACK_REJECTION
  return counts
}
