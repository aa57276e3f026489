import { Buffer } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { emitWarning } from 'node:process'
import type { HeaderLines, HttpRequest, ReceivedRequest } from '../http/message.ts'

/** @param url as the client sent it, whatever a router has made of it since */
export function nodeHead(
  request: IncomingMessage,
  url: string = request.url ?? '/',
): Omit<HttpRequest, 'body'> {
  const at = url.indexOf('?')
  return {
    method: request.method ?? 'GET',
    path: at < 0 ? url : url.slice(0, at),
    query: at < 0 ? '' : url.slice(at + 1),
    headers: headerLines(request.rawHeaders),
  }
}

/**
 * The bytes of a body, that stay there to be read once more.
 *
 * @returns null for more than `maxBytes`; then the rest is left
 * @throws where the client has gone before it was whole
 */
export function readNodeBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | null> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | null>()
  const chunks: Buffer[] = []
  let size = 0
  const read = (): void => {
    // Not where there is nothing: that would tell the end.
    while (request.readableLength > 0) {
      const chunk: unknown = request.read()
      if (chunk === null) break
      if (!(chunk instanceof Buffer)) return done(() => reject(new TypeError('the body was decoded to text')))
      size += chunk.length
      if (size > maxBytes) return done(() => resolve(null))
      chunks.push(chunk)
    }
    if (!request.complete) return
    // All of it is here, and its end has not been told: until then it can be put back.
    const body = Buffer.concat(chunks)
    done(() => {
      if (body.length > 0) request.unshift(body)
      resolve(body)
    })
  }
  const fail = (error: Error): void => done(() => reject(error))
  const closed = (): void => fail(new Error('the client has gone before its request was whole'))
  const done = (then: () => void): void => {
    request.off('readable', read).off('error', fail).off('close', closed)
    then()
  }
  if (request.destroyed) closed()
  else {
    request.on('readable', read).on('error', fail).on('close', closed)
    read()
  }
  return promise
}

/** A request of a framework whose parsers may have read its body already. */
export interface ParsedRequest {
  readonly raw: IncomingMessage
  readonly originalUrl: string
  /** As it was received, without content codings. */
  readonly rawBody?: unknown
  readonly body?: unknown
}

/** The request by its bytes, or where a parser has read them by what it has made of them. */
export async function receiveNode(
  { raw, originalUrl, rawBody, body: parsed }: ParsedRequest,
  maxBytes: number,
): Promise<ReceivedRequest> {
  const head = nodeHead(raw, originalUrl)
  if (rawBody === undefined && !raw.readableEnded) return { ...head, body: await readNodeBody(raw, maxBytes) }
  const body = rawBody ?? parsed
  if (body === undefined || body === null) return { ...head, body: new Uint8Array() }
  // Parsers take content codings off.
  const headers = head.headers.filter(([name]) => name !== 'content-encoding')
  if (body instanceof Uint8Array || typeof body === 'string') {
    return { ...head, headers, body: Buffer.from(body) }
  }
  warnOnce()
  return {
    ...head,
    headers: [...headers.filter(([name]) => name !== 'content-type'), ['content-type', 'application/json']],
    body: Buffer.from(JSON.stringify(body)),
  }
}

let warned = false

function warnOnce(): void {
  if (warned) return
  warned = true
  emitWarning(
    'a body was parsed before idempotency looked at it: numbers that differ may have become equal. Put body parsers behind idempotency, or keep rawBody',
    { code: 'LOADBEARING_IDEMPOTENCY_PARSED_BODY' },
  )
}

function headerLines(raw: readonly string[]): HeaderLines {
  return Array.from(
    { length: raw.length / 2 },
    (_, n) => [(raw[2 * n] ?? '').toLowerCase(), raw[2 * n + 1] ?? ''] as const,
  )
}
