import {
  type CallHandler,
  type ExecutionContext,
  GatewayTimeoutException,
  type NestInterceptor,
  ServiceUnavailableException,
} from '@nestjs/common'
import { catchError, type Observable, throwError } from 'rxjs'
import { isResilienceError } from '../errors.ts'
import { isRefusal } from './refused.ts'
import { HttpRefusal } from './route-guard.ts'

/** What is used of an answer of Express or Fastify. */
interface HttpAnswer {
  header(name: string, value: string): unknown
}

/**
 * Makes of refusals that a handler ends with a ServiceUnavailableException (503), with `Retry-After` where it is known when
 * the circuit lets a probe through, and of `TIMEOUT` a GatewayTimeoutException (504); `cause` is the ResilienceError.
 * Filters of exceptions come after it. What is no HTTP request goes on as it is.
 *
 * ```ts
 * app.useGlobalInterceptors(new ResilienceErrorInterceptor())
 * ```
 */
export class ResilienceErrorInterceptor implements NestInterceptor<unknown, unknown> {
  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle()
    const answer = context.switchToHttp().getResponse<HttpAnswer>()
    return next.handle().pipe(catchError((error: unknown) => throwError(() => asException(error, answer))))
  }
}

// The body in full: without one, NestJS 11 leaves the message out.
function asException(error: unknown, answer: HttpAnswer): unknown {
  if (isResilienceError(error) && error.code === 'TIMEOUT')
    return new GatewayTimeoutException({ message: 'Gateway Timeout', statusCode: 504 }, { cause: error })
  if (!isRefusal(error)) return error
  for (const [name, value] of Object.entries(new HttpRefusal(error).headers)) answer.header(name, value)
  return new ServiceUnavailableException(
    { message: 'Service Unavailable', statusCode: 503 },
    { cause: error },
  )
}
