import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common'
import { catchError, type Observable, of, throwError } from 'rxjs'
import { setExecution } from '../http/execution-of.ts'
import { type AdapterOptions, exchangeOf } from './adapter-options.ts'
import { answerNode } from './node-exchange.ts'
import { nodeHead, receiveNode } from './node-request.ts'
import { headersOf } from './node-response.ts'

/** Options of {@link idempotency} for NestJS. */
export interface NestOptions extends AdapterOptions<ExecutionContext> {
  /**
   * Whether an error says that execution had not begun, as one of a validation pipe: its answer is not kept, and the key is as
   * new. Default: none does.
   */
  readonly notExecuted?: (error: unknown) => boolean
}

/**
 * An interceptor that answers each key once, for `useGlobalInterceptors` or `@UseInterceptors`, on Express or Fastify. Guards run
 * before it. Create the application with `rawBody: true`, so that requests are compared by their bytes.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function idempotency(options: NestOptions): NestInterceptor {
  const exchange = exchangeOf(options)
  const isNotExecuted = options.notExecuted ?? (() => false)
  return {
    async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
      if (context.getType() !== 'http') return next.handle()
      const request: NestRequest = context.switchToHttp().getRequest()
      const reply: NestReply = context.switchToHttp().getResponse()
      const raw = request.raw ?? request
      const response = reply.raw ?? reply
      const { originalUrl, rawBody, body } = request
      if (!exchange.concerns(nodeHead(raw))) return next.handle()
      const scope = await options.scope(context)
      const begun = Promise.withResolvers<() => void>()
      const received = await receiveNode({ raw, originalUrl, rawBody, body }, exchange.settings.maxBodyBytes)
      const answered = answerNode(
        exchange,
        { received, scope, response, front: headersOf(reply) },
        (execution) => {
          setExecution(request, execution)
          begun.resolve(execution.notExecuted)
        },
      )
      const notExecuted = await Promise.race([answered, begun.promise])
      if (notExecuted === undefined) {
        // It is answered, and what Nest makes of this reaches nobody.
        silence(response)
        if (reply.hijack !== undefined) withhold(reply)
        return of(undefined)
      }
      answered.catch(() => {})
      return next.handle().pipe(
        catchError((error: unknown) => {
          if (isNotExecuted(error)) notExecuted()
          return throwError(() => error)
        }),
      )
    },
  }
}

/** As Express and Fastify have it. */
interface NestRequest extends IncomingMessage {
  readonly raw?: IncomingMessage
  readonly originalUrl: string
  readonly rawBody?: Uint8Array
  readonly body?: unknown
}

interface NestReply extends ServerResponse {
  readonly raw?: ServerResponse
  /** Fastify's. */
  readonly hijack?: () => unknown
}

/** Whatever is written from now on is not sent. */
function silence(response: ServerResponse): void {
  const ignore = (): ServerResponse => response
  Object.defineProperties(response, {
    setHeader: { value: ignore },
    writeHead: { value: ignore },
    write: { value: () => true },
    end: { value: ignore },
  })
}

/** Fastify sends nothing by itself, and what Nest gives it to send is no second answer to warn of. */
function withhold(reply: NestReply): void {
  reply.hijack?.()
  Object.defineProperty(reply, 'send', { value: () => reply })
}

export type { AdapterOptions } from './adapter-options.ts'
