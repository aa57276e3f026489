import type { IncomingMessage } from 'node:http'
import { ZanzibarError } from '../../errors.ts'

/** @throws ZanzibarError `resource_exhausted` for a body above `max` bytes, as soon as that is known */
export function readBody(request: IncomingMessage, max: number): Promise<Uint8Array> {
  // By its events: `for await` makes several promises and an iterator of its own.
  return new Promise((resolve, reject) => {
    const announced = Number(request.headers['content-length'] ?? 0)
    if (announced > max) {
      reject(tooLarge(announced, max))
      return
    }
    const chunks: Uint8Array[] = []
    let size = 0
    request.on('data', (chunk: Uint8Array) => {
      size += chunk.byteLength
      if (size <= max) chunks.push(chunk)
      else reject(tooLarge(size, max))
    })
    request.on('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    )
    request.on('error', reject)
  })
}

function tooLarge(size: number, max: number): ZanzibarError {
  return new ZanzibarError('resource_exhausted', `received message larger than max (${size} vs. ${max})`)
}
