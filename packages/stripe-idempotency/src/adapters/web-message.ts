import { Buffer } from 'node:buffer'
import type { HeaderLines, HttpRequest, LiveResponse } from '../http/message.ts'
import { promptBody } from './prompt-body.ts'

export function headOf(request: Request): Omit<HttpRequest, 'body'> {
  const { pathname, search } = new URL(request.url)
  return {
    method: request.method,
    path: pathname,
    query: search.slice(1),
    headers: [...request.headers],
  }
}

/**
 * The bytes of a body.
 *
 * @returns null for more than `maxBytes`; then the rest is not read
 */
export async function readWebBody(
  request: Request,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (request.body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = request.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    size += value.length
    if (size > maxBytes) {
      await reader.cancel()
      return null
    }
    chunks.push(value)
  }
}

/** The request with a body that can be read once more. */
export function withBody(request: Request, body: Uint8Array<ArrayBuffer>): Request {
  return body.length === 0 ? request : new Request(request, { method: request.method, body })
}

export async function fromResponse(response: Response, maxBytes: number): Promise<LiveResponse> {
  return {
    status: response.status,
    headers: [...response.headers],
    body: response.body === null ? new Uint8Array() : await promptBody(chunksOf(response.body), maxBytes),
  }
}

/** Statuses whose responses have no body (Fetch, section 2.2.3). */
const nullBody: ReadonlySet<number> = new Set([101, 103, 204, 205, 304])

export function toResponse({ status, headers, body }: LiveResponse): Response {
  return new Response(nullBody.has(status) ? null : webBody(body), { status, headers: pairs(headers) })
}

function pairs(headers: HeaderLines): [string, string][] {
  return headers.map(([name, value]) => [name, value])
}

function webBody(body: LiveResponse['body']): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  if (body instanceof Uint8Array) return Uint8Array.from(body)
  const iterator = body[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const step = await iterator.next()
      if (step.done === true) controller.close()
      else controller.enqueue(step.value)
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}
