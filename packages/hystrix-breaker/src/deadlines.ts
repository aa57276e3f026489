import type { Clock } from './ports.ts'

/** What has a deadline. */
export interface Expiring {
  readonly startedAt: number
  expire(): void
}

/** Deadlines that are all equally far: the first to come in is the first to end, and one timer serves them all. */
export class Deadlines {
  readonly #clock: Clock
  readonly #after: number
  readonly #waiting = new Set<Expiring>()
  #timer: unknown

  constructor(clock: Clock, after: number) {
    this.#clock = clock
    this.#after = after
  }

  add(one: Expiring): void {
    this.#waiting.add(one)
    if (this.#timer === undefined) this.#arm(this.#after)
  }

  // The timer stays: it is cheaper to have it find nothing than to set it for each call.
  delete(one: Expiring): void {
    this.#waiting.delete(one)
  }

  clear(): void {
    this.#waiting.clear()
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(delay: number): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      this.#fire()
    }, delay)
  }

  #fire(): void {
    const now = this.#clock.monotonic()
    for (const one of this.#waiting) {
      const left = one.startedAt + this.#after - now
      if (left > 0) {
        if (this.#timer === undefined) this.#arm(Math.ceil(left))
        return
      }
      this.#waiting.delete(one)
      one.expire()
    }
  }
}
