import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import type { RequestContent } from '../fingerprint/fingerprint.ts'

// One of ours has 32 bytes, and so never looks like this.
const mark = 'fingerprint of @node-idempotency\n'

/** What @node-idempotency has kept of a request: the BLAKE2s of its body, as parsed; none of a request without one. */
export function nodeIdempotencyFingerprint(digest: string | undefined, query: string): Uint8Array {
  return Buffer.from(`${mark}${digest ?? ''}\n${query}`)
}

/** Whether a fingerprint is one of these, and of such a request. */
export function matchesImported(stored: Uint8Array, { query, contentType, body }: RequestContent): boolean {
  const text = stored.length > mark.length ? Buffer.from(stored).toString() : ''
  if (!text.startsWith(mark)) return false
  const [digest, ...itsQuery] = text.slice(mark.length).split('\n')
  if (itsQuery.join('\n') !== query) return false
  if (body.length === 0) return digest === '' || digest === digestOf({})
  const parsed = parsedBody(contentType, Buffer.from(body).toString())
  return parsed !== undefined && digest === digestOf(parsed)
}

function digestOf(body: unknown): string {
  return hash('blake2s256', JSON.stringify(body), 'hex')
}

function parsedBody(contentType: string, text: string): unknown {
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType))
    return Object.fromEntries(new URLSearchParams(text))
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
