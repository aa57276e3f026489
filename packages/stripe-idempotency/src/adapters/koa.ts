import { Buffer } from 'node:buffer'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { Context, Middleware } from 'koa'
import { setExecution } from '../http/execution-of.ts'
import type { HeaderLines, LiveResponse } from '../http/message.ts'
import { type AdapterOptions, exchangeOf } from './adapter-options.ts'
import { withFront } from './front-headers.ts'
import { nodeHead, readNodeBody } from './node-request.ts'
import { CapturedResponse, goneOf, headersOf } from './node-response.ts'
import { promptBody } from './prompt-body.ts'
import { fromResponse } from './web-message.ts'

/**
 * Idempotency keys for Koa. Put authentication, rate limits and compression in front of it, and parsers of bodies behind it.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function idempotency(options: AdapterOptions<Context>): Middleware {
  const exchange = exchangeOf(options)
  const { maxBodyBytes, maxResponseBytes } = exchange.settings
  return async (context, next) => {
    const head = nodeHead(context.req, context.originalUrl)
    if (!exchange.concerns(head)) return next()
    const scope = await options.scope(context)
    const body = await readNodeBody(context.req, maxBodyBytes)
    const gone = goneOf(context.res)
    const front = headersOf(context.res)
    const thrown = Promise.withResolvers<{ readonly error: unknown }>()
    let captured: CapturedResponse | undefined
    const answered = exchange.answer(
      { ...head, body },
      scope,
      async (execution) => {
        setExecution(context, execution)
        captured = new CapturedResponse(context.res, gone)
        try {
          await next()
        } catch (error) {
          // What the application answers to it is the answer.
          thrown.resolve({ error })
          return captured.response(maxResponseBytes)
        }
        return context.respond === false || captured.begun
          ? captured.response(maxResponseBytes)
          : responseOf(context, maxResponseBytes)
      },
      gone.signal,
    )
    const first = await Promise.race([answered, thrown.promise]).catch((error: unknown) => {
      captured?.release()
      throw error
    })
    if ('error' in first) {
      void answered
        .then((exchanged) => captured?.send(withFront(exchanged, front)))
        .catch(() => {
          captured?.release()
          context.res.destroy()
        })
      throw first.error
    }
    if (captured?.begun === true) {
      context.respond = false
      return captured.send(withFront(first, front))
    }
    captured?.release()
    return give(context, withFront(first, front))
  }
}

/** What Koa would make of what the context has, once all middleware is through. */
async function responseOf(context: Context, maxBytes: number): Promise<LiveResponse> {
  const { status } = context
  const body: unknown = context.body
  const headers = (): HeaderLines =>
    Object.entries(context.response.headers).flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [String(value)]).map((line) => [name, line] as const),
    )
  if (body === null || body === undefined) {
    const explicit = '_explicitNullBody' in context.response
    if (explicit || [204, 205, 304].includes(status))
      return { status, headers: headers(), body: new Uint8Array() }
    context.type = 'text'
    const text = context.message || STATUS_CODES[status] || String(status)
    return { status, headers: headers(), body: Buffer.from(text) }
  }
  if (body instanceof Response) {
    const { body: bytes } = await fromResponse(body, maxBytes)
    return { status, headers: headers(), body: bytes }
  }
  return { status, headers: headers(), body: await bytesOf(body, maxBytes, context.socket) }
}

async function bytesOf(body: unknown, maxBytes: number, client: Socket): Promise<LiveResponse['body']> {
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Uint8Array) return body
  if (body instanceof Blob) return promptBody(body.stream(), maxBytes)
  if (body instanceof ReadableStream) return promptBody(body, maxBytes)
  if (body instanceof Readable) return promptBody(chunksOf(outliving(client, body)), maxBytes)
  return Buffer.from(JSON.stringify(body))
}

/** Koa destroys what is to be sent when its client goes. An error of the stream itself ends it all the same. */
function outliving(client: Socket, stream: Readable): Readable {
  const { destroy } = stream
  stream.destroy = (error) =>
    client.destroyed && !error && !stream.readableEnded ? stream : destroy.call(stream, error)
  return stream
}

async function* chunksOf(stream: Readable): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of stream) yield chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk))
}

function give(context: Context, { status, headers, body }: LiveResponse): void {
  context.status = status
  for (const name of Object.keys(context.response.headers)) context.remove(name)
  // Koa derives headers from a body, so theirs come behind it.
  context.body =
    body instanceof Uint8Array ? Buffer.from(body.buffer, body.byteOffset, body.length) : Readable.from(body)
  context.status = status
  const lines = Map.groupBy(headers, ([name]) => name)
  if (!lines.has('content-type')) context.remove('content-type')
  for (const [name, values] of lines) {
    context.set(
      name,
      values.map(([, value]) => value),
    )
  }
}

export type { AdapterOptions } from './adapter-options.ts'
