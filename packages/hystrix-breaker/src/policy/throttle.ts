import type { Sink, Work } from '../call.ts'
import type { CallScope } from '../call-scope.ts'
import { cameWhileStalled } from '../local-fault/stalled-timeouts.ts'
import { checkClock, checkFunction, checkNames, checkRandom } from '../option-checks.ts'
import { type Clock, type Random, realClock, realRandom } from '../ports.ts'
import { Throttle, type ThrottleOptions } from '../throttle.ts'
import { ask } from './ask.ts'
import type { PipelineParts, Policy, Step } from './policy.ts'
import { refusal } from './refusal.ts'

export interface ThrottlePolicyOptions extends ThrottleOptions {
  /** Whether an error shows that the backend took the call all the same, as a 404 does. Default: none does. */
  readonly acceptIf?: (error: unknown) => boolean
  /** Default: real time. */
  readonly clock?: Clock
  /** Default: `Math.random`. */
  readonly random?: Random
}

/** A throttle that can be looked at. */
export interface ThrottlePolicy extends Policy {
  /** The probability, 0 up to 1, with which the next call is refused. */
  readonly rejection: number
}

/**
 * Refuses calls with `THROTTLED` by the probability of {@link Throttle}, before they are sent. A call counts as requested
 * when it comes, refused or not; as accepted when it succeeds, and when its caller gives it up or the process stood still,
 * which says nothing against the backend. Calls under way are not accepted yet: a burst before the first answers is thinned
 * out.
 *
 * @throws InvalidOptionError naming the option.
 */
export function throttle(options: ThrottlePolicyOptions = {}): ThrottlePolicy {
  checkNames('throttle', options, ['k', 'window', 'acceptIf', 'clock', 'random'])
  const { acceptIf, clock = realClock, random = realRandom, ...formula } = options
  if (acceptIf !== undefined) checkFunction('acceptIf', acceptIf)
  checkClock(clock)
  checkRandom(random)
  const state = new Throttle(formula)
  return {
    added: [],
    get rejection() {
      return state.rejection(clock.monotonic())
    },
    compile<Inner>(next: Step<Inner>, parts: PipelineParts): Step<Inner> {
      return <T>(scope: CallScope, work: Work<T>, sink: Sink<T | Inner>): void => {
        const now = clock.monotonic()
        const rejection = state.rejection(now)
        state.request(now)
        if (rejection > 0 && random.next() < rejection) {
          const percent = Math.round(rejection * 100)
          sink.fail(
            refusal(parts, 'THROTTLED', `the backend refuses too much; ${percent} % of calls are not sent`),
          )
          return
        }
        next(scope, work, {
          succeed: (value) => {
            state.accept(clock.monotonic())
            sink.succeed(value)
          },
          fail: (error) => {
            if (
              scope.isAborted ||
              cameWhileStalled(error) ||
              (acceptIf !== undefined && ask(parts, 'acceptIf', acceptIf, error, false))
            )
              state.accept(clock.monotonic())
            sink.fail(error)
          },
        })
      }
    },
  }
}
