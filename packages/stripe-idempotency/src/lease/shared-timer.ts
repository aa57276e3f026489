import type { Clock } from '../ports.ts'

/** One that was started. */
export interface Started {
  readonly due: number
  readonly callback: () => void
  previous: Started | undefined
  next: Started | undefined
}

/**
 * Timers of one length, nearly all of which are stopped before they fire, as one timer of the clock: starting and stopping
 * is two links of a list, whose first is always the first that is due.
 */
export class SharedTimer implements Disposable {
  readonly #clock: Clock
  readonly #length: number
  #first: Started | undefined
  #last: Started | undefined
  #handle: unknown
  #armed = false

  /** @param length milliseconds */
  constructor(clock: Clock, length: number) {
    this.#clock = clock
    this.#length = length
  }

  start(callback: () => void): Started {
    const started: Started = {
      due: this.#clock.monotonic() + this.#length,
      callback,
      previous: this.#last,
      next: undefined,
    }
    if (this.#last === undefined) this.#first = started
    else this.#last.next = started
    this.#last = started
    if (!this.#armed) this.#arm(this.#length)
    return started
  }

  /** Nothing happens where it has fired or was stopped. */
  stop(started: Started): void {
    const { previous, next } = started
    if (previous === undefined && this.#first !== started) return
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    started.previous = undefined
    started.next = undefined
  }

  /** None of them fires any more. */
  [Symbol.dispose](): void {
    this.#first = undefined
    this.#last = undefined
    if (this.#armed) this.#clock.clearTimeout(this.#handle)
    this.#armed = false
  }

  #arm(delay: number): void {
    this.#armed = true
    this.#handle = this.#clock.setTimeout(() => this.#fire(), delay)
  }

  // It stays armed when the last one is stopped, so that one request after the other arms it once.
  #fire(): void {
    this.#armed = false
    const now = this.#clock.monotonic()
    while (this.#first !== undefined && this.#first.due <= now) {
      const { callback } = this.#first
      this.stop(this.#first)
      callback()
    }
    if (this.#first !== undefined && !this.#armed) this.#arm(this.#first.due - now)
  }
}
