import { ResilienceError, type ResilienceErrorCode } from '../errors.ts'
import type { PipelineParts } from './policy.ts'

/** The error of a refused call, told to listeners. Without a stack, which would cost more than all else. */
export function refusal(
  { name, emitter }: PipelineParts,
  code: ResilienceErrorCode,
  message: string,
  cause?: { readonly cause: unknown },
): ResilienceError {
  emitter.emit('reject', () => ({ name, code }))
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return new ResilienceError(code, `${name}: ${message}`, cause)
  } finally {
    Error.stackTraceLimit = limit
  }
}
