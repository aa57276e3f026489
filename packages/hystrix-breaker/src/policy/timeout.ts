import type { Sink, Work } from '../call.ts'
import { CallScope } from '../call-scope.ts'
import { Deadlines, type Expiring } from '../deadlines.ts'
import { ResilienceError } from '../errors.ts'
import { LoopGuard } from '../local-fault/loop-guard.ts'
import { ofStalledProcess } from '../local-fault/stalled-timeouts.ts'
import { checkClock, checkDuration, checkNames, type Duration } from '../option-checks.ts'
import { type Clock, realClock } from '../ports.ts'
import type { PipelineParts, Policy, Step } from './policy.ts'

export interface TimeoutOptions {
  /**
   * So late a timer shows that the process itself stood still. Then calls have as long again to be answered; those that are
   * not fail with `TIMEOUT`, which breakers and limits outside do not count, and the event `lag` is told. `false`: every
   * timeout counts. Default 250 ms.
   */
  readonly lagTolerance?: Duration | false
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
  checkNames('timeout', options, ['lagTolerance', 'clock'])
  const { lagTolerance = 250 } = options
  const clock = checkClock(options.clock ?? realClock)
  const ms = checkDuration('timeout', after)
  const pipelines: PipelineParts[] = []
  const told = (lag: number, pending: number): void => {
    for (const { name, emitter } of pipelines) emitter.emit('lag', () => ({ name, lag, pending }))
  }
  const guard =
    lagTolerance === false
      ? undefined
      : new LoopGuard(checkDuration('lagTolerance', lagTolerance), { lagged: told })
  const deadlines = new Deadlines<Timed>(clock, ms, guard)
  return {
    added: [],
    compile<Inner>(next: Step<Inner>, parts: PipelineParts): Step<Inner> {
      pipelines.push(parts)
      const expired = (): ResilienceError =>
        new ResilienceError(
          'TIMEOUT',
          `${parts.name}: no answer within ${ms} ms: raise timeout, or see why it is slow`,
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
  readonly timedFrom: number
  readonly #sink: Sink<T>
  readonly #deadlines: Deadlines<Timed>
  readonly #expired: () => ResilienceError
  #isOver = false

  constructor(
    parent: CallScope,
    sink: Sink<T>,
    deadlines: Deadlines<Timed>,
    timedFrom: number,
    expired: () => ResilienceError,
  ) {
    super(parent)
    this.#sink = sink
    this.#deadlines = deadlines
    this.timedFrom = timedFrom
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

  expire(stalled: boolean): void {
    this.#isOver = true
    const error = this.#expired()
    this.abort(stalled ? ofStalledProcess(error) : error)
  }

  #end(): void {
    if (!this.#isOver) this.#deadlines.delete(this)
    this.release()
  }
}
