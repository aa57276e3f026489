import { setExecution } from '../http/execution-of.ts'
import { type AdapterOptions, exchangeOf } from './adapter-options.ts'
import { fromResponse, headOf, readWebBody, toResponse, withBody } from './web-message.ts'

/** Answers a request, as a route of Next, a server of Bun or Deno does. */
export type FetchHandler<Rest extends readonly unknown[]> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>

/** Makes a handler that answers each key once. */
export type WithIdempotency = <Rest extends readonly unknown[]>(
  handler: FetchHandler<Rest>,
) => (request: Request, ...rest: Rest) => Promise<Response>

/**
 * Idempotency keys for Fetch handlers. What the handler gives is kept; what it throws is thrown, and leaves the key uncertain.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function idempotency(options: AdapterOptions<Request>): WithIdempotency {
  const exchange = exchangeOf(options)
  const { maxBodyBytes, maxResponseBytes } = exchange.settings
  return (handler) =>
    async (request, ...rest) => {
      const head = headOf(request)
      if (!exchange.concerns(head)) return handler(request, ...rest)
      const scope = await options.scope(request)
      const body = await readWebBody(request, maxBodyBytes)
      const { response } = await exchange.answer(
        { ...head, body },
        scope,
        async (execution) => {
          const again = withBody(request, body ?? new Uint8Array())
          setExecution(again, execution)
          return fromResponse(await handler(again, ...rest), maxResponseBytes)
        },
        request.signal,
      )
      return toResponse(response)
    }
}

export type { AdapterOptions } from './adapter-options.ts'
