import { Breaker } from '../breaker.ts'
import type { BreakerOptions } from '../breaker-options.ts'
import type { Work } from '../call.ts'
import { CallScope } from '../call-scope.ts'
import type { Policy, Sink, Step } from './policy.ts'

/** A breaker as a policy. */
export interface CircuitBreakerPolicy extends Policy {
  readonly breaker: Breaker
}

/**
 * A {@link Breaker} around what is inside: one that is given, which stays its owner's, or one of these options, which is
 * disposed of with the pipeline. Of a breaker made here the time limit is none if not given: `timeout` is a policy of its
 * own. A run that is given up outside, by its caller or by a time limit, is not counted.
 *
 * @throws InvalidOptionError naming the option.
 */
export function circuitBreaker(given: Breaker | BreakerOptions = {}): CircuitBreakerPolicy {
  if (given instanceof Breaker) return { breaker: given, compile: (next) => around(given, next) }
  const breaker = new Breaker({ timeout: false, ...given })
  return {
    breaker,
    compile: (next) => around(breaker, next),
    dispose: () => breaker[Symbol.asyncDispose](),
  }
}

function around<Inner>(breaker: Breaker, next: Step<Inner>): Step<Inner> {
  return <T>(scope: CallScope, work: Work<T>, sink: Sink<T | Inner>): void => {
    const inner = new CallScope(scope)
    const inside = (): Promise<T | Inner> =>
      new Promise((succeed, fail) => next(inner, work, { succeed, fail }))
    const failed = (error: unknown): void => {
      inner.release()
      // The breaker may have given it up by its own time limit.
      inner.abort(error)
      sink.fail(error)
    }
    breaker.execute(inside, { signal: scope.signal }).then((value) => {
      inner.release()
      return sink.succeed(value)
    }, failed)
  }
}
