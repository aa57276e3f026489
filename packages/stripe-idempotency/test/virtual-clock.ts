import type { Clock } from '@loadbearing/stripe-idempotency'

interface Timer {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

/** A clock that stands still until it is told to go on. */
export class VirtualClock implements Clock {
  #now = 0
  #order = 0
  readonly #timers = new Set<Timer>()

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  setTimeout(callback: () => void, delay: number): Timer {
    const timer = { at: this.#now + Math.max(0, delay), order: this.#order++, callback }
    this.#timers.add(timer)
    return timer
  }

  clearTimeout(handle: unknown): void {
    for (const timer of this.#timers) if (timer === handle) this.#timers.delete(timer)
  }

  /** Lets everything happen that is due, in its order, until `done`; time stands still for as long as something is `busy` that knows no time. */
  async run(done: () => boolean, busy: () => boolean = () => false): Promise<void> {
    await settled(busy)
    while (!done()) {
      const [next] = [...this.#timers].toSorted((a, b) => a.at - b.at || a.order - b.order)
      if (next === undefined) throw new Error('nothing is due, and something is still awaited')
      this.#timers.delete(next)
      this.#now = next.at
      next.callback()
      await settled(busy)
    }
  }
}

/** All promises that can be settled at this moment are. */
async function settled(busy: () => boolean): Promise<void> {
  do {
    const { promise, resolve } = Promise.withResolvers<void>()
    setImmediate(resolve)
    await promise
  } while (busy())
}
