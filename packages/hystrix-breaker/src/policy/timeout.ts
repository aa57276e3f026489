import type { Sink, Work } from '../call.ts'
import { CallScope } from '../call-scope.ts'
import { Deadlines, type Expiring } from '../deadlines.ts'
import { ResilienceError } from '../errors.ts'
import { checkDuration, checkNames, type Duration } from '../option-checks.ts'
import { type Clock, realClock } from '../ports.ts'
import type { Policy, Step } from './policy.ts'

export interface TimeoutOptions {
  /** Default: real time. */
  readonly clock?: Clock
}

/**
 * A time limit: what takes longer fails with `TIMEOUT`, and its signal is aborted. Below a retry it holds for each
 * attempt, above it for all together. One timer serves all calls; it does not keep the process alive.
 *
 * @throws InvalidOptionError naming the option.
 */
export function timeout(after: Duration, options: TimeoutOptions = {}): Policy {
  checkNames('timeout', options, ['clock'])
  const { clock = realClock } = options
  const ms = checkDuration('timeout', after)
  const deadlines = new Deadlines<Timed>(clock, ms)
  return {
    compile<Inner>(next: Step<Inner>, { name }: { readonly name: string }): Step<Inner> {
      const expired = (): ResilienceError =>
        new ResilienceError(
          'TIMEOUT',
          `${name}: no answer within ${ms} ms: raise timeout, or see why it is slow`,
        )
      return <T>(scope: CallScope, work: Work<T>, sink: Sink<T | Inner>): void => {
        const call = new TimedCall<T | Inner>(scope, sink, deadlines, clock.monotonic(), expired)
        deadlines.add(call)
        next(call, work, call)
      }
    },
    dispose: () => {
      if (deadlines.waiting.size === 0) deadlines.clear()
    },
  }
}

interface Timed extends Expiring<Timed> {}

class TimedCall<T> extends CallScope implements Sink<T>, Timed {
  previous: Timed | undefined
  next: Timed | undefined
  readonly startedAt: number
  readonly #sink: Sink<T>
  readonly #deadlines: Deadlines<Timed>
  readonly #expired: () => ResilienceError
  #isOver = false

  constructor(
    parent: CallScope,
    sink: Sink<T>,
    deadlines: Deadlines<Timed>,
    startedAt: number,
    expired: () => ResilienceError,
  ) {
    super(parent)
    this.#sink = sink
    this.#deadlines = deadlines
    this.startedAt = startedAt
    this.#expired = expired
  }

  succeed(value: T): void {
    this.#end()
    this.#sink.succeed(value)
  }

  fail(error: unknown): void {
    this.#end()
    this.#sink.fail(error)
  }

  expire(): void {
    this.#isOver = true
    this.abort(this.#expired())
  }

  #end(): void {
    if (!this.#isOver) this.#deadlines.delete(this)
    this.release()
  }
}
