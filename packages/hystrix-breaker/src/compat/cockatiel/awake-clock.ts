import { type Clock, keepAlive, letGo, realClock } from '../../ports.ts'

/** The real clock, whose latest timer keeps the process alive while somebody waits for it. */
export class AwakeClock implements Clock {
  #timer: unknown
  #waiting = 0

  now(): number {
    return realClock.now()
  }

  monotonic(): number {
    return realClock.monotonic()
  }

  setTimeout(callback: () => void, delay: number): unknown {
    this.#timer = realClock.setTimeout(callback, delay)
    if (this.#waiting > 0) keepAlive(this.#timer)
    return this.#timer
  }

  clearTimeout(handle: unknown): void {
    realClock.clearTimeout(handle)
  }

  /** One more waits. */
  hold(): void {
    if (this.#waiting++ === 0) keepAlive(this.#timer)
  }

  /** One less waits. */
  release(): void {
    if (--this.#waiting === 0) letGo(this.#timer)
  }
}
