import type { EventCounter } from './event-counter.ts'
import type { LatencyHistogram } from './latency-histogram.ts'

const room = 64
const width = 4

/**
 * Calls that have ended and are not counted yet. To note one costs a fraction of what counting it does, and counting
 * many in a row, once somebody looks, costs less than counting each when it ends.
 */
export class EndedCalls {
  // Of each call: when it ended, when it began, the place of its event, how many ran when it ended.
  readonly #notes = new Float64Array(room * width)
  #end = 0

  get isFull(): boolean {
    return this.#end === this.#notes.length
  }

  add(now: number, startedAt: number, place: number, running: number): void {
    const notes = this.#notes
    const at = this.#end
    notes[at] = now
    notes[at + 1] = startedAt
    notes[at + 2] = place
    notes[at + 3] = running
    this.#end = at + width
  }

  /** Counts them, in their order, and forgets them. */
  countInto(counter: EventCounter, latency: LatencyHistogram | undefined): void {
    const notes = this.#notes
    for (let at = 0; at < this.#end; at += width) {
      const now = notes[at] ?? 0
      counter.end(now, notes[at + 2] ?? 0, notes[at + 3] ?? 0)
      latency?.record(now, now - (notes[at + 1] ?? 0))
    }
    this.#end = 0
  }
}
