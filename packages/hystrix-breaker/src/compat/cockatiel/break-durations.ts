import { InvalidOptionError, shown } from '../../errors.ts'
import { durationMax } from '../../option-checks.ts'
import type { IBackoff, IBackoffFactory } from './backoff.ts'
import { contextOf, type IDefaultPolicyContext } from './call-context.ts'
import type { CallSignal } from './call-signal.ts'
import { ConstantBackoff } from './constant-backoff.ts'
import { throwOutside } from './event.ts'
import type { FailureReason } from './outcome.ts'

export interface IHalfOpenAfterBackoffContext extends IDefaultPolicyContext {
  /** How often in a row the circuit has opened, from 1. */
  attempt: number
  /** What opened it. */
  result: FailureReason<unknown>
}

/** How long a circuit stays open each time. */
export class BreakDurations {
  readonly #factory: IBackoffFactory<IHalfOpenAfterBackoffContext>
  #backoff: IBackoff<IHalfOpenAfterBackoffContext> | undefined
  #latest = 0

  /** @throws InvalidOptionError */
  constructor(halfOpenAfter: number | IBackoffFactory<IHalfOpenAfterBackoffContext>) {
    if (typeof halfOpenAfter === 'number' && halfOpenAfter >= 0)
      this.#factory = new ConstantBackoff(halfOpenAfter)
    else if (isFactory(halfOpenAfter)) this.#factory = halfOpenAfter
    else {
      throw new InvalidOptionError(
        `halfOpenAfter must be milliseconds, 0 or more, or have a function next, not ${shown(halfOpenAfter)}`,
      )
    }
  }

  /** Milliseconds of the `attempt`-th time. Where the backoff throws, as long as the last time: it must open all the same. */
  next(attempt: number, result: FailureReason<unknown>, signal: CallSignal): number {
    try {
      const context = contextOf(signal, { attempt, result })
      this.#backoff =
        attempt === 1 || this.#backoff === undefined
          ? this.#factory.next(context)
          : this.#backoff.next(context)
      const { duration } = this.#backoff
      this.#latest = duration > 0 ? Math.min(duration, durationMax) : 0
    } catch (error) {
      throwOutside(error)
    }
    return this.#latest
  }
}

function isFactory(value: unknown): value is IBackoffFactory<IHalfOpenAfterBackoffContext> {
  return typeof value === 'object' && value !== null && 'next' in value && typeof value.next === 'function'
}
