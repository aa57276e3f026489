import { Slices } from '../window/slices.ts'
import { type CallEvent, callEvents, forEachEvent } from './call-event.ts'

/** How often each event happened. */
export type EventCounts = Readonly<Record<CallEvent, number>>

// Of a slice; the last field is the most calls that ran at once.
const fields = callEvents.length + 1
const mostRunning = callEvents.length

/** The events of the last `size` milliseconds in `slices`, and all since it was made. */
export class EventCounter {
  readonly #slices: Slices
  readonly #ring: Uint32Array
  // Of the slices that are over.
  readonly #past = new Float64Array(callEvents.length)

  constructor(size: number, slices: number) {
    this.#slices = new Slices(size, slices)
    this.#ring = new Uint32Array(slices * fields)
  }

  /** An event, by its place in `callEvents`, at monotonic `now`. */
  add(now: number, place: number): void {
    const ring = this.#ring
    if (this.#slices.isOver(now)) this.#advance(now)
    const at = this.#slices.place * fields + place
    ring[at] = (ring[at] ?? 0) + 1
  }

  /** The event that ends one of `running` calls: the most calls that ran at once are seen when the first of them ends. */
  end(now: number, place: number, running: number): void {
    const ring = this.#ring
    if (this.#slices.isOver(now)) this.#advance(now)
    const slice = this.#slices.place * fields
    ring[slice + place] = (ring[slice + place] ?? 0) + 1
    if (running > (ring[slice + mostRunning] ?? 0)) ring[slice + mostRunning] = running
  }

  rolling(now: number): EventCounts {
    this.#advance(now)
    return withThrown(forEachEvent((place) => this.#inRing(place)))
  }

  total(): EventCounts {
    return withThrown(forEachEvent((place) => (this.#past[place] ?? 0) + this.#inRing(place)))
  }

  rollingMaxRunning(now: number): number {
    this.#advance(now)
    let most = 0
    for (let slice = 0; slice < this.#slices.count; slice++)
      most = Math.max(most, this.#ring[slice * fields + mostRunning] ?? 0)
    return most
  }

  #inRing(place: number): number {
    let sum = 0
    for (let slice = 0; slice < this.#slices.count; slice++) sum += this.#ring[slice * fields + place] ?? 0
    return sum
  }

  #advance(now: number): void {
    this.#slices.advance(now, (slice) => {
      const at = slice * fields
      for (let place = 0; place < callEvents.length; place++)
        this.#past[place] = (this.#past[place] ?? 0) + (this.#ring[at + place] ?? 0)
      this.#ring.fill(0, at, at + fields)
    })
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
