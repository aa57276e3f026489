import { DelayedError, type Job, type Processor } from 'bullmq'
import { checkDuration, checkFunction, checkNames, checkRandom, type Duration } from '../option-checks.ts'
import { type Random, realRandom } from '../ports.ts'
import { KeyedBreakers, type KeyedOptions, keyedOptionNames } from './keyed-breakers.ts'
import { isRefusal } from './refused.ts'

export type { KeyedBreakerOptions, KeyedOptions } from './keyed-breakers.ts'

export interface ProcessorOptions<DataType, ResultType, NameType extends string> extends KeyedOptions {
  /** The name of the breaker of a job; undefined for one that goes unguarded. Default: that of its queue. */
  readonly keyOf?: (job: Job<DataType, ResultType, NameType>) => string | undefined
  /**
   * A refused job comes back when its circuit may let a probe through, and a random part of this later, so that not all come
   * at once; where nobody knows when that is, after this and a random part of it. Default 1 s.
   */
  readonly delay?: Duration
  /** Default: `Math.random`. */
  readonly random?: Random
}

/**
 * A processor of BullMQ 6 behind a breaker: while the circuit is open, jobs are not failed but delayed, and lose no attempt.
 *
 * - A job is delayed where its own breaker refuses it, and where its processor ends with the refusal of another one of this
 *   package, such as that of `/undici`; that says nothing about this one, and is not counted.
 * - Failed is what the processor throws, or what `isFailure` of `options` says. Not counted: UnrecoverableError, which tells
 *   of the job, and what BullMQ has to move jobs with (DelayedError, WaitingError, WaitingChildrenError, RateLimitError).
 * - The signal that the processor is given is aborted with the time limit of the breaker, and when the job is cancelled,
 *   which counts neither way.
 * - `timeout` is off unless it is given.
 *
 * ```ts
 * new Worker('mails', breakerProcessor(async (job, token, signal) => send(job.data, signal), { registry }), { connection })
 * ```
 *
 * @throws InvalidOptionError naming the option.
 */
export function breakerProcessor<DataType, ResultType, NameType extends string = string>(
  processor: Processor<DataType, ResultType, NameType>,
  options: ProcessorOptions<DataType, ResultType, NameType> = {},
): Processor<DataType, ResultType, NameType> {
  checkFunction('processor', processor)
  checkNames('options', options, [...keyedOptionNames, 'keyOf', 'delay', 'random'])
  const { keyOf = ({ queueName }) => queueName, delay = 1000, random = realRandom, ...keyed } = options
  checkFunction('keyOf', keyOf)
  checkRandom(random)
  const spread = checkDuration('delay', delay)
  const breakers = new KeyedBreakers(keyed, { timeout: false, isFailure: isJobFailure })
  // BullMQ gives a signal to functions of three parameters.
  return async (job, token, signal) => {
    const key = keyOf(job)
    if (key === undefined) return processor(job, token, signal)
    const breaker = breakers.of(key)
    try {
      return await breaker.execute((context) => processor(job, token, context.signal), { signal })
    } catch (error) {
      if (!isRefusal(error)) throw error
      const wait = (error.retryAfter ?? spread) + random.next() * spread
      await job.moveToDelayed(breaker.settings.clock.now() + Math.ceil(wait), token)
      throw new DelayedError()
    }
  }
}

const notCounted: ReadonlySet<string> = new Set([
  'UnrecoverableError',
  'DelayedError',
  'WaitingError',
  'WaitingChildrenError',
  'RateLimitError',
])

function isJobFailure(error: unknown): boolean {
  return !isRefusal(error) && !(error instanceof Error && notCounted.has(error.name))
}
