import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Exchanged } from '../http/exchange.ts'
import { setExecution } from '../http/execution-of.ts'
import { type HeaderLines, type LiveResponse, linesOf } from '../http/message.ts'
import { type AdapterOptions, exchangeOf } from './adapter-options.ts'
import { withFront } from './front-headers.ts'
import { nodeHead, readNodeBody } from './node-request.ts'
import { goneOf, headersOf } from './node-response.ts'
import { promptBody } from './prompt-body.ts'
import { fromResponse } from './web-message.ts'

/** A request whose handler has begun. */
interface Running {
  readonly answered: Promise<Exchanged>
  /** What stood on the reply before. */
  readonly front: HeaderLines
  /** Told what the handler, or the handler of its error, has answered. */
  readonly replied: PromiseWithResolvers<LiveResponse>
}

/**
 * Idempotency keys for routes of Fastify, of the instance that it is registered on: `app.register(idempotency(options))`. A key
 * is looked at in `preHandler`, so what is refused by a schema, or by hooks that were added before, was not executed.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function idempotency(options: AdapterOptions<FastifyRequest>): FastifyPluginAsync {
  const exchange = exchangeOf(options)
  const { maxBodyBytes, maxResponseBytes } = exchange.settings
  const bodies = new WeakMap<FastifyRequest, Uint8Array | null>()
  const running = new WeakMap<FastifyRequest, Running>()

  const plugin: FastifyPluginAsync = async (app) => {
    app.addHook('preParsing', async (request, _reply, payload) => {
      if (!exchange.concerns(nodeHead(request.raw))) return payload
      const body = await readNodeBody(request.raw, maxBodyBytes)
      bodies.set(request, body)
      if (body !== null) return payload
      // The rest of a body that is too long is not parsed; the answer is given in front of the handler.
      const receivedEncodedLength = Number(request.headers['content-length'] ?? 0)
      return Object.assign(Readable.from([]), { receivedEncodedLength })
    })

    app.addHook('preValidation', async (request, reply) => {
      if (bodies.get(request) !== null) return undefined
      const refused = exchange.refuse({ kind: 'body-too-large', maxBytes: maxBodyBytes })
      return give(reply, withFront(refused, headersOf(reply)))
    })

    app.addHook('preHandler', async (request, reply) => {
      const head = nodeHead(request.raw, request.originalUrl)
      if (!exchange.concerns(head)) return undefined
      const scope = await options.scope(request)
      const begun = Promise.withResolvers<undefined>()
      const replied = Promise.withResolvers<LiveResponse>()
      const gone = goneOf(reply.raw)
      const answered = exchange.answer(
        { ...head, body: bodies.get(request) ?? new Uint8Array() },
        scope,
        (execution) => {
          setExecution(request, execution)
          begun.resolve(undefined)
          return replied.promise
        },
        gone.signal,
      )
      const first = await Promise.race([answered, begun.promise])
      if (first !== undefined) return give(reply, withFront(first, headersOf(reply)))
      running.set(request, { answered, front: headersOf(reply), replied })
      reply.raw.once('close', () => {
        // A handler that took the response over, and no answer came by here.
        if (reply.sent) replied.reject(new Error('the response was written past the reply'))
      })
      return undefined
    })

    app.addHook('onSend', async (request, reply, payload: unknown) => {
      const run = running.get(request)
      if (run === undefined) return payload
      running.delete(request)
      run.replied.resolve(await replyOf(reply, payload, maxResponseBytes))
      const response = withFront(await run.answered, run.front)
      setHead(reply, response)
      return payloadOf(response)
    })
  }
  // As of `fastify-plugin`: the hooks are of the instance that registers this.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}

async function replyOf(reply: FastifyReply, payload: unknown, maxBytes: number): Promise<LiveResponse> {
  return { status: reply.statusCode, headers: headersOf(reply), body: await bytesOf(payload, maxBytes) }
}

async function bytesOf(payload: unknown, maxBytes: number): Promise<LiveResponse['body']> {
  if (payload === null || payload === undefined) return new Uint8Array()
  if (typeof payload === 'string') return Buffer.from(payload)
  if (payload instanceof Uint8Array) return payload
  if (payload instanceof ReadableStream) return promptBody(payload, maxBytes)
  if (payload instanceof Response) return (await fromResponse(payload, maxBytes)).body
  if (payload instanceof Readable) return promptBody(chunksOf(payload), maxBytes)
  throw new TypeError('the payload is neither text, bytes nor a stream')
}

async function* chunksOf(stream: Readable): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of stream) yield chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk))
}

function give(reply: FastifyReply, response: LiveResponse): FastifyReply {
  setHead(reply, response)
  return reply.send(payloadOf(response))
}

function setHead(reply: FastifyReply, { status, headers }: LiveResponse): void {
  const lines = Map.groupBy(headers, ([name]) => name)
  for (const name of Object.keys(reply.getHeaders())) if (!lines.has(name)) reply.removeHeader(name)
  for (const [name, values] of lines) {
    const [first = '', ...more] = values.map(([, value]) => value)
    // Lines of Set-Cookie would be added to those that are there.
    reply.removeHeader(name)
    reply.header(name, more.length === 0 ? first : [first, ...more])
  }
  reply.code(status)
}

function payloadOf({ headers, body }: LiveResponse): Buffer | Readable | undefined {
  // Fastify has a content type for everything else.
  if (body instanceof Uint8Array && body.length === 0 && linesOf(headers, 'content-type').length === 0)
    return undefined
  return body instanceof Uint8Array
    ? Buffer.from(body.buffer, body.byteOffset, body.length)
    : Readable.from(body)
}

export type { AdapterOptions } from './adapter-options.ts'
