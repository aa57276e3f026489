import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../src/ports.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** A clock that stands still until it is advanced. */
export class ManualClock implements Clock {
  #now = 0
  readonly #timers = new Set<Timer>()

  get pending(): number {
    return this.#timers.size
  }

  monotonic(): number {
    return this.#now
  }

  setTimeout(callback: () => void, delay: number): Timer {
    const timer = { at: this.#now + delay, callback }
    this.#timers.add(timer)
    return timer
  }

  clearTimeout(handle: unknown): void {
    for (const timer of this.#timers) if (timer === handle) this.#timers.delete(timer)
  }

  /** Time passes; after each timer everything that it set off happens. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settled()
    for (;;) {
      const [next] = [...this.#timers]
        .filter(({ at }) => at <= end)
        .toSorted((one, other) => one.at - other.at)
      if (next === undefined) break
      this.#timers.delete(next)
      this.#now = next.at
      next.callback()
      await settled()
    }
    this.#now = end
    await settled()
  }
}

/** Everything that waits for nothing from outside has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate()
}
