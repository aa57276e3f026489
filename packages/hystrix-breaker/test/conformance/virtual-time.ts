import type { Clock } from '@loadbearing/hystrix-breaker'

interface Due {
  readonly at: number
  readonly rank: number
  readonly order: number
  readonly run: () => void
}

/**
 * Time that goes on when it is told to, and stops at each thing that is due, until all that follows from it has happened.
 * At one moment timers come before what {@link VirtualTime.at} was given, and each kind in the order of its making.
 */
export class VirtualTime implements Clock {
  #now = 0
  #made = 0
  readonly #due = new Set<Due>()

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  setTimeout(run: () => void, delay: number): Due {
    return this.#add(this.#now + delay, 0, run)
  }

  clearTimeout(timer: unknown): void {
    for (const due of this.#due) if (due === timer) this.#due.delete(due)
  }

  at(moment: number, run: () => void): void {
    this.#add(moment, 1, run)
  }

  /** Everything due at or before `moment` happens; Infinity for all there is. */
  async advance(moment: number): Promise<void> {
    await turn()
    for (let next = this.#next(); next !== undefined && next.at <= moment; next = this.#next()) {
      this.#due.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
      await turn()
    }
    if (moment !== Infinity) this.#now = Math.max(this.#now, moment)
  }

  #add(at: number, rank: number, run: () => void): Due {
    const due = { at, rank, order: this.#made++, run }
    this.#due.add(due)
    return due
  }

  #next(): Due | undefined {
    const [first, ...rest] = this.#due
    return rest.reduce((next, each) => (comesFirst(each, next) ? each : next), first ?? rest[0])
  }
}

function comesFirst(a: Due, b: Due | undefined): boolean {
  if (b === undefined) return true
  return a.at !== b.at ? a.at < b.at : a.rank !== b.rank ? a.rank < b.rank : a.order < b.order
}

// All promises that can settle by themselves have settled after it.
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
