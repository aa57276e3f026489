import { ResilienceError, type ResilienceErrorCode, withoutStack } from '../errors.ts'
import type { PipelineParts } from './policy.ts'

/** The error of a refused call, told to listeners. Without a stack, which would cost more than all else. */
export function refusal(
  { name, emitter }: PipelineParts,
  code: ResilienceErrorCode,
  message: string,
  cause?: { readonly cause: unknown },
): ResilienceError {
  emitter.emit('reject', () => ({ name, code }))
  return withoutStack(() => new ResilienceError(code, `${name}: ${message}`, cause))
}
