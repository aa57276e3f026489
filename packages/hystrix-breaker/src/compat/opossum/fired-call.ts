import type { Permit } from '../../permit.ts'
import type { CallSignal } from './abort-signals.ts'
import { type Cancel, clock } from './timers.ts'

/** One execution of the action, which ends once: with its result or at its time limit. */
export class FiredCall<TI extends unknown[], TR> {
  readonly args: TI
  /** Of the cache and of coalescing; empty without both. */
  readonly key: string
  readonly promise: Promise<TR>
  readonly resolve: (value: TR | PromiseLike<TR>) => void
  readonly reject: (error: unknown) => void
  /** None where the semaphore was locked. */
  permit: Permit | undefined
  signal: CallSignal | undefined
  cancelLimit: Cancel | undefined
  readonly #startedAt: number = clock.monotonic()
  #ended = false

  constructor(args: TI, key: string) {
    this.args = args
    this.key = key
    const { promise, resolve, reject } = Promise.withResolvers<TR>()
    this.promise = promise
    this.resolve = resolve
    this.reject = reject
  }

  /** Whole milliseconds since it began. */
  get latency(): number {
    return Math.round(clock.monotonic() - this.#startedAt)
  }

  /** True the first time. */
  end(): boolean {
    if (this.#ended) return false
    this.#ended = true
    this.cancelLimit?.()
    return true
  }
}
