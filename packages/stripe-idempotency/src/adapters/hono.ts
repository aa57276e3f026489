import type { Context, Env, MiddlewareHandler } from 'hono'
import { setExecution } from '../http/execution-of.ts'
import { type AdapterOptions, exchangeOf } from './adapter-options.ts'
import { withFront } from './front-headers.ts'
import { fromResponse, headOf, readWebBody, toResponse, withBody } from './web-message.ts'

/**
 * Idempotency keys for routes of Hono. Put authentication, rate limits and compression in front of it.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function idempotency<E extends Env = Env>(
  // Hono infers the environment of a middleware from its place, and not that of its options.
  options: AdapterOptions<Context<E>>,
): MiddlewareHandler<E> {
  const exchange = exchangeOf(options)
  const { maxBodyBytes, maxResponseBytes } = exchange.settings
  return async (context, next) => {
    const head = headOf(context.req.raw)
    if (!exchange.concerns(head)) return next()
    const scope = await options.scope(context)
    const body = await bodyOf(context, maxBodyBytes)
    // Before the handler adds its own.
    const front = [...context.res.headers]
    const exchanged = await exchange.answer(
      { ...head, body },
      scope,
      async (execution) => {
        setExecution(context, execution)
        // An error has become the answer of `onError` when this is over.
        await next()
        return fromResponse(context.res, maxResponseBytes)
      },
      context.req.raw.signal,
    )
    const answer = withFront(exchanged, front)
    // What is there would be mixed in.
    context.res = undefined
    context.res = toResponse(answer)
    return undefined
  }
}

/** What an earlier middleware has read is taken from where Hono keeps it. */
async function bodyOf(context: Context, maxBytes: number): Promise<Uint8Array | null> {
  if (context.req.raw.bodyUsed) return new Uint8Array(await context.req.arrayBuffer())
  const body = await readWebBody(context.req.raw, maxBytes)
  if (body !== null) context.req.raw = withBody(context.req.raw, body)
  return body
}

export type { AdapterOptions } from './adapter-options.ts'
