import { Buffer } from 'node:buffer'

/**
 * The whole of a body where it is there at once and has at most `maxBytes`; else a body that begins with what is there. So
 * what was given in one piece can be stored before it is sent, and what is being made is not waited for.
 */
export async function promptBody(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  const iterator = source[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let size = 0
  for (;;) {
    const next = iterator.next()
    const prompt = await Promise.race([next, turn()])
    if (prompt === undefined || size > maxBytes) return rest(chunks, next, iterator)
    if (prompt.done === true) return Buffer.concat(chunks)
    chunks.push(Uint8Array.from(prompt.value))
    size += prompt.value.length
  }
}

async function* rest(
  chunks: readonly Uint8Array[],
  next: Promise<IteratorResult<Uint8Array>>,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* chunks
    for (let step = await next; step.done !== true; step = await iterator.next()) yield step.value
  } finally {
    await iterator.return?.()
  }
}

/** All that is under way in this turn of the event loop. */
function turn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(resolve, undefined))
}
