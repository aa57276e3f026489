import type { IncomingMessage } from 'node:http'
import { ZanzibarError } from '../../errors.ts'

/** @throws ZanzibarError `resource_exhausted` for a body above `max` bytes, as soon as that is known */
export async function readBody(request: IncomingMessage, max: number): Promise<Uint8Array> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > max) throw tooLarge(announced, max)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > max) throw tooLarge(size, max)
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
}

function tooLarge(size: number, max: number): ZanzibarError {
  return new ZanzibarError('resource_exhausted', `received message larger than max (${size} vs. ${max})`)
}
