import type { Reply } from './application.ts'

export function toWeb({ status, headers = {}, body }: Reply): Response {
  const source =
    body === null || typeof body === 'string'
      ? body
      : body instanceof Uint8Array
        ? Uint8Array.from(body)
        : streamOf(body)
  return new Response(source, { status, headers })
}

function streamOf(body: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
  })
}
