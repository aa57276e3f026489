import { ResilienceError, type ResilienceErrorCode } from './errors.ts'
import type { CallEvent } from './metrics/call-event.ts'

/** As HystrixRuntimeException.FailureType. */
export type FailureType =
  | 'COMMAND_EXCEPTION'
  | 'TIMEOUT'
  | 'SHORTCIRCUIT'
  | 'REJECTED_THREAD_EXECUTION'
  | 'REJECTED_SEMAPHORE_EXECUTION'
  | 'REJECTED_SEMAPHORE_FALLBACK'

/** The request was wrong, and not the command: it goes to the caller as it is, without a fallback, and is not counted. */
export class HystrixBadRequestException extends Error {
  override readonly name: string = 'HystrixBadRequestException'
}

/** A command failed, and no fallback answered in its place. `cause` is the error of the call. */
export class HystrixRuntimeException extends ResilienceError {
  override readonly name: string = 'HystrixRuntimeException'
  readonly failureType: FailureType
  /** What the fallback threw; undefined where it did not run. */
  readonly fallbackException: unknown

  constructor(
    failureType: FailureType,
    message: string,
    options: { readonly cause?: unknown; readonly fallbackException?: unknown } = {},
  ) {
    super(codeOf[failureType], message, options)
    this.failureType = failureType
    this.fallbackException = options.fallbackException
  }
}

const codeOf: Readonly<Record<FailureType, ResilienceErrorCode>> = {
  COMMAND_EXCEPTION: 'COMMAND_FAILED',
  TIMEOUT: 'TIMEOUT',
  SHORTCIRCUIT: 'CIRCUIT_OPEN',
  REJECTED_THREAD_EXECUTION: 'BULKHEAD_FULL',
  REJECTED_SEMAPHORE_EXECUTION: 'BULKHEAD_FULL',
  REJECTED_SEMAPHORE_FALLBACK: 'FALLBACK_FAILED',
}

const failures: ReadonlyMap<CallEvent, readonly [FailureType, string]> = new Map([
  ['FAILURE', ['COMMAND_EXCEPTION', 'failed']],
  ['TIMEOUT', ['TIMEOUT', 'timed-out']],
  ['SHORT_CIRCUITED', ['SHORTCIRCUIT', 'short-circuited']],
  ['THREAD_POOL_REJECTED', ['REJECTED_THREAD_EXECUTION', 'could not be queued for execution']],
  ['SEMAPHORE_REJECTED', ['REJECTED_SEMAPHORE_EXECUTION', 'could not acquire a semaphore for execution']],
])

/** What the caller of the command `name` gets for `error`, with which a call of these events ended. */
export function hystrixError(name: string, events: readonly CallEvent[], error: unknown): unknown {
  const [outcome, substitute] = events
  const failure = outcome && failures.get(outcome)
  if (failure === undefined || substitute === 'CANCELLED') return error
  const [failureType, what] = failure
  if (substitute === 'FALLBACK_REJECTION')
    return new HystrixRuntimeException(
      'REJECTED_SEMAPHORE_FALLBACK',
      `${name} fallback execution rejected.`,
      { cause: error instanceof Error ? error.cause : undefined },
    )
  if (substitute === 'FALLBACK_FAILURE') {
    const both = error instanceof Error ? error.cause : undefined
    const [cause, fallbackException]: unknown[] = both instanceof AggregateError ? both.errors : []
    return new HystrixRuntimeException(failureType, `${name} ${what} and fallback failed.`, {
      cause,
      fallbackException,
    })
  }
  const without = substitute === 'FALLBACK_MISSING' ? 'no fallback available' : 'fallback disabled'
  return new HystrixRuntimeException(failureType, `${name} ${what} and ${without}.`, { cause: error })
}
