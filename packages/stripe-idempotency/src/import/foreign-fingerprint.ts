import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import type { RequestContent } from '../fingerprint/fingerprint.ts'

// One of ours has 32 bytes, and so never looks like this.
const mark = 'fingerprint of @node-idempotency\n'

/** What @node-idempotency has kept of a request: the BLAKE2s of its body, as parsed; none of a request without one. */
export function nodeIdempotencyFingerprint(digest: string | undefined, query: string): Uint8Array {
  return Buffer.from(`${mark}${digest ?? ''}\n${query}`)
}

/** Those that it may have kept of such a request. */
export function nodeIdempotencyFingerprints({
  query,
  contentType,
  body,
}: RequestContent): readonly Uint8Array[] {
  if (body.length === 0)
    return [undefined, digestOf({})].map((digest) => nodeIdempotencyFingerprint(digest, query))
  const parsed = parsedBody(contentType, Buffer.from(body).toString())
  return parsed === undefined ? [] : [nodeIdempotencyFingerprint(digestOf(parsed), query)]
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
