import { isResilienceError, type ResilienceError, type ResilienceErrorCode } from '../errors.ts'

const refusals: ReadonlySet<ResilienceErrorCode> = new Set([
  'CIRCUIT_OPEN',
  'BULKHEAD_FULL',
  'LIMIT_EXCEEDED',
  'THROTTLED',
  'DISPOSED',
])

/** Whether a call was not made at all: what asked for it has not failed, and may be asked again. */
export function isRefusal(error: unknown): error is Pick<ResilienceError, 'code' | 'message' | 'retryAfter'> {
  return isResilienceError(error) && refusals.has(error.code)
}
