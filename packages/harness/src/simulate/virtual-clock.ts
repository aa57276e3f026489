import { HarnessError } from '../errors.ts'
import { MomentHeap } from './moment-heap.ts'
import type { TaskState } from './task.ts'

const maxDelay = 2 ** 31 - 1

export interface VirtualTimer {
  /** Who set it: the callback runs on its behalf. */
  readonly task: TaskState
  readonly callback: () => void
  readonly label: string
  /** Not yet due, and not cleared. */
  waits: boolean
  /** Cleared, perhaps between being due and being run. */
  cancelled: boolean
}

/**
 * Time that moves only by {@link VirtualClock.advance}. Monotonic time is the one that moves; wall time is derived
 * from it, so no step of the wall clock can reach it.
 *
 * Own queue: `@sinonjs/fake-timers` orders the timers of one moment itself, where here they are to become ready
 * together, and costs more for one timer than the rest of a step does. It is the oracle of the tests instead.
 */
export class VirtualClock {
  readonly #moments = new MomentHeap()
  readonly #timers = new Map<number, VirtualTimer[]>()
  readonly #due: (timer: VirtualTimer) => void
  #monotonic = 0
  #pending = 0
  /** Wall time at the monotonic moment `#anchor`, since when it has gained `#drift` milliseconds each. */
  #wall: number
  #anchor = 0
  #drift = 0

  constructor(startTime: number, due: (timer: VirtualTimer) => void) {
    this.#wall = startTime
    this.#due = due
  }

  now(): number {
    return Math.floor(this.#wall + (this.monotonic() - this.#anchor) * (1 + this.#drift))
  }

  monotonic(): number {
    return this.#monotonic
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#pending
  }

  /** As Node: a delay below 1, above 2^31-1 or not a number is 1, a fraction is cut off. */
  schedule(task: TaskState, callback: () => void, delay: number, label: string): VirtualTimer {
    if (typeof callback !== 'function') {
      throw new HarnessError(
        'BAD_OPTION',
        `clock.setTimeout(callback, delay) needs a function, but got ${typeof callback}`,
      )
    }
    const wait = delay >= 1 && delay <= maxDelay ? Math.trunc(delay) : 1
    const moment = this.#monotonic + wait
    const timer: VirtualTimer = { task, callback, label, cancelled: false, waits: true }
    const others = this.#timers.get(moment)
    if (others === undefined) {
      this.#timers.set(moment, [timer])
      this.#moments.push(moment)
    } else {
      others.push(timer)
    }
    this.#pending++
    return timer
  }

  clear(handle: unknown): void {
    if (!isTimer(handle)) return
    handle.cancelled = true
    if (!handle.waits) return
    handle.waits = false
    this.#pending--
  }

  jump(by: number): void {
    finite('clock.jump(by)', by)
    this.#wall += by
  }

  drift(partsPerMillion: number): void {
    finite('clock.drift(partsPerMillion)', partsPerMillion)
    this.#wall += (this.monotonic() - this.#anchor) * (1 + this.#drift)
    this.#anchor = this.monotonic()
    this.#drift = partsPerMillion / 1e6
  }

  /** Moves to the next moment at which timers are due and hands over all of them; false when none waits. */
  advance(): boolean {
    if (this.#pending === 0) return false
    for (;;) {
      const moment = this.#moments.pop()
      if (moment === undefined) return false
      const timers = this.#timers.get(moment) ?? []
      this.#timers.delete(moment)
      if (!timers.some(({ waits }) => waits)) continue
      this.#monotonic = moment
      for (const timer of timers) {
        if (!timer.waits) continue
        timer.waits = false
        this.#pending--
        this.#due(timer)
      }
      return true
    }
  }
}

function isTimer(handle: unknown): handle is VirtualTimer {
  return typeof handle === 'object' && handle !== null && 'cancelled' in handle && 'waits' in handle
}

function finite(what: string, value: number): void {
  if (Number.isFinite(value)) return
  throw new HarnessError('BAD_OPTION', `${what} needs a finite number, but got ${String(value)}`)
}
