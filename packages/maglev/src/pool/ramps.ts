import { durationMax } from '../duration.ts'
import type { Clock } from '../ports.ts'
import { type SlowStart, slowStartStep } from './slow-start.ts'

/** Takes ids through their slow start, a step at a time, on one timer. */
export class Ramps {
  readonly #slowStart: SlowStart
  readonly #clock: Clock
  readonly #stepped: (factors: ReadonlyMap<string, number>) => void
  /** When each began, in monotonic ms. */
  readonly #begins = new Map<string, number>()
  #timer: unknown

  /** `stepped` hears of the new factors of those that go a step up. */
  constructor(slowStart: SlowStart, clock: Clock, stepped: (factors: ReadonlyMap<string, number>) => void) {
    this.#slowStart = slowStart
    this.#clock = clock
    this.#stepped = stepped
  }

  /** Begins anew; gives the factor to begin with. */
  start(id: string): number {
    const begin = this.#clock.monotonic()
    const { factor, next } = slowStartStep(this.#slowStart, 0)
    if (next !== undefined) {
      this.#begins.set(id, begin)
      this.#arm()
    }
    return factor
  }

  stop(id: string): void {
    this.#begins.delete(id)
  }

  close(): void {
    this.#begins.clear()
    this.#clock.clearTimeout(this.#timer)
  }

  #arm(): void {
    this.#clock.clearTimeout(this.#timer)
    const now = this.#clock.monotonic()
    let due = Number.POSITIVE_INFINITY
    for (const begin of this.#begins.values()) {
      due = Math.min(due, begin + (slowStartStep(this.#slowStart, now - begin).next ?? 0))
    }
    if (due === Number.POSITIVE_INFINITY) return
    const wait = Math.ceil(due - now)
    this.#timer = this.#clock.setTimeout(() => this.#step(), Math.min(Math.max(wait, 1), durationMax))
  }

  #step(): void {
    const now = this.#clock.monotonic()
    const factors = new Map<string, number>()
    for (const [id, begin] of this.#begins) {
      const { factor, next } = slowStartStep(this.#slowStart, now - begin)
      factors.set(id, factor)
      if (next === undefined) this.#begins.delete(id)
    }
    this.#arm()
    this.#stepped(factors)
  }
}
