import { type Linked, LinkedList } from './linked-list.ts'
import type { LoopGuard } from './local-fault/loop-guard.ts'
import type { Clock } from './ports.ts'

/** What has a deadline; in one {@link Deadlines} at a time. */
export interface Expiring<Item> extends Linked<Item> {
  /** Monotonic milliseconds. */
  readonly timedFrom: number
  /** `stalled`: the process itself stood still meanwhile, so that it may have missed the answer. */
  expire(stalled: boolean): void
}

/** Deadlines that are all equally far: the first to come in is the first to end, and one timer serves them all. */
export class Deadlines<Item extends Expiring<Item>> {
  readonly waiting: LinkedList<Item> = new LinkedList<Item>()
  readonly #clock: Clock
  readonly #after: number
  readonly #guard: LoopGuard | undefined
  #timer: unknown
  #due = 0
  #stallEnded = -Infinity
  // Whether the timer is there for what was waiting while the process stood still.
  #grace = false

  /** `after` milliseconds; Infinity for none, and no timer. */
  constructor(clock: Clock, after: number, guard?: LoopGuard) {
    this.#clock = clock
    this.#after = after
    this.#guard = guard
  }

  add(one: Item): void {
    this.waiting.push(one)
    if (this.#timer === undefined && this.#after !== Infinity) this.#arm(one.timedFrom, this.#after)
  }

  /** It must be in. The timer stays: it is cheaper to have it find nothing than to set it for each call. */
  delete(one: Item): void {
    this.waiting.remove(one)
  }

  /** Ends one that is in and whose time is over before the timer comes to it. True where it has ended. */
  endIfOver(one: Item, now: number): boolean {
    const deadline = one.timedFrom + this.#after
    // Where the timer itself is late it is for the timer to judge.
    if (deadline > now || this.#grace || this.#guard?.isStall(now - this.#due) === true) return false
    this.#expire(one, deadline)
    return true
  }

  clear(): void {
    while (this.waiting.first !== undefined) this.waiting.remove(this.waiting.first)
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(now: number, delay: number): void {
    this.#due = now + delay
    this.#timer = this.#clock.setTimeout(() => this.#fired(), delay)
  }

  // What one that expired has begun may have set the timer already, for itself and so too late for this one.
  #armFor(deadline: number, now: number): void {
    if (this.#timer !== undefined) {
      if (this.#due <= deadline) return
      this.#clock.clearTimeout(this.#timer)
    }
    this.#arm(now, Math.ceil(deadline - now))
  }

  #fired(): void {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    const { size } = this.waiting
    if (size > 0 && this.#guard?.stalled(now - this.#due, size, now) === true) {
      this.#stallEnded = now
      // Once more before judging: what was answered meanwhile is still to be read.
      if (!this.#grace) {
        this.#grace = true
        this.#arm(now, this.#guard.grace)
        return
      }
    }
    this.#grace = false
    this.#expireUntil(now)
  }

  #expireUntil(now: number): void {
    for (let one = this.waiting.first; one !== undefined; one = this.waiting.first) {
      const deadline = one.timedFrom + this.#after
      if (deadline > now) {
        this.#armFor(deadline, now)
        return
      }
      this.#expire(one, deadline)
    }
  }

  #expire(one: Item, deadline: number): void {
    this.waiting.remove(one)
    one.expire(one.timedFrom <= this.#stallEnded && deadline <= this.#stallEnded + (this.#guard?.grace ?? 0))
  }
}
