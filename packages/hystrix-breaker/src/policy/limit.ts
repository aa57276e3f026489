import type { Sink, Work } from '../call.ts'
import type { CallScope } from '../call-scope.ts'
import { InvalidOptionError, isResilienceError, shown } from '../errors.ts'
import { AimdLimit, type AimdOptions } from '../limit/aimd.ts'
import { Gradient2Limit, type Gradient2Options } from '../limit/gradient2.ts'
import type { ConcurrencyLimit } from '../limit/limit.ts'
import { VegasLimit, type VegasOptions } from '../limit/vegas.ts'
import { cameWhileStalled } from '../local-fault/stalled-timeouts.ts'
import { checkClock, checkFunction, checkNames, checkObject } from '../option-checks.ts'
import { type Clock, type Random, realClock, realRandom } from '../ports.ts'
import { ask } from './ask.ts'
import type { PipelineParts, Policy, Step } from './policy.ts'
import { refusal } from './refusal.ts'

export interface LimiterOptions {
  /**
   * Whether an error says that the system is overloaded, which lowers the limit. Other errors are not looked at. Default:
   * `TIMEOUT` of a policy or breaker inside.
   */
  readonly droppedIf?: (error: unknown) => boolean
  /** Default: real time. */
  readonly clock?: Clock
}

/** A limit that can be looked at. */
export interface LimitPolicy extends Policy {
  /** Calls that may be in flight now. */
  readonly limit: number
  readonly inflight: number
}

/**
 * Adaptive concurrency limits: as many calls at once as the round trips of the last ones allow; more are refused with
 * `LIMIT_EXCEEDED`. The algorithms are those of Netflix concurrency-limits, the joining to calls that of its SimpleLimiter:
 * a success is a sample, a drop a sample of a drop, another failure or an abort of the caller none.
 */
export const limit: {
  gradient2(options?: Gradient2Options & LimiterOptions): LimitPolicy
  vegas(options?: VegasOptions & LimiterOptions & { readonly random?: Random }): LimitPolicy
  aimd(options?: AimdOptions & LimiterOptions): LimitPolicy
  /** Any other algorithm. */
  by(algorithm: ConcurrencyLimit, options?: LimiterOptions): LimitPolicy
} = {
  gradient2: (given = {}) => {
    checkObject('gradient2', given)
    const { droppedIf, clock, ...options } = given
    return limiter(new Gradient2Limit(options), droppedIf, clock)
  },
  vegas: (given = {}) => {
    checkObject('vegas', given)
    const { droppedIf, clock, random = realRandom, ...options } = given
    return limiter(new VegasLimit(options, random), droppedIf, clock)
  },
  aimd: (given = {}) => {
    checkObject('aimd', given)
    const { droppedIf, clock, ...options } = given
    return limiter(new AimdLimit(options), droppedIf, clock)
  },
  by: (algorithm, options = {}) => {
    checkNames('limit', options, ['droppedIf', 'clock'])
    if (typeof algorithm?.sample !== 'function' || typeof algorithm.limit !== 'number')
      throw new InvalidOptionError(
        `limit.by takes a ConcurrencyLimit, which has limit and sample, not ${shown(algorithm)}`,
      )
    return limiter(algorithm, options.droppedIf, options.clock)
  },
}

// Of a clock that stood still.
const shortest = 1e-6

function limiter(
  algorithm: ConcurrencyLimit,
  droppedIf: (error: unknown) => boolean = isTimeout,
  clock: Clock = realClock,
): LimitPolicy {
  checkFunction('droppedIf', droppedIf)
  checkClock(clock)
  let inflight = 0
  return {
    added: [],
    get limit() {
      return algorithm.limit
    },
    get inflight() {
      return inflight
    },
    compile<Inner>(next: Step<Inner>, parts: PipelineParts): Step<Inner> {
      return <T>(scope: CallScope, work: Work<T>, sink: Sink<T | Inner>): void => {
        if (inflight >= algorithm.limit) {
          sink.fail(
            refusal(parts, 'LIMIT_EXCEEDED', `${inflight} calls are in flight, as many as it can bear now`),
          )
          return
        }
        const begunWith = ++inflight
        const startedAt = clock.monotonic()
        const end = (dropped: boolean | undefined): void => {
          inflight--
          if (dropped === undefined) return
          const rtt = Math.max(shortest, clock.monotonic() - startedAt)
          algorithm.sample({ rtt, inflight: begunWith, dropped })
        }
        next(scope, work, {
          succeed: (value) => {
            end(false)
            sink.succeed(value)
          },
          fail: (error) => {
            const reason = scope.isAborted ? scope.reason : error
            const dropped = scope.isAborted
              ? isTimeout(reason)
              : ask(parts, 'droppedIf', droppedIf, error, false)
            end(dropped ? true : undefined)
            sink.fail(error)
          },
        })
      }
    },
  }
}

function isTimeout(error: unknown): boolean {
  return isResilienceError(error) && error.code === 'TIMEOUT' && !cameWhileStalled(error)
}
