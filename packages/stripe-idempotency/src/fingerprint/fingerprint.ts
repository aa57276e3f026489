import { Buffer } from 'node:buffer'
import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { HeaderLines } from '../http/message.ts'
import { canonicalJson, type LeftOut } from './canonical-json.ts'
import { formFields, inOrder } from './form.ts'
import { multipartParts } from './multipart.ts'

/** What a request asks for, its method and path aside. */
export interface RequestContent {
  /** Behind the `?`, without it. */
  readonly query: string
  /** The value of the header; empty where there is none. */
  readonly contentType: string
  /** Its content codings taken off. */
  readonly body: Uint8Array
  /** Headers that make it another request. Default: none. */
  readonly headers?: HeaderLines
}

/** How requests are compared. */
export interface FingerprintOptions {
  /** For an HMAC in place of a plain hash: what is stored then tells nothing of short bodies. */
  readonly secret?: Uint8Array
  readonly leftOut?: LeftOut
}

const version = 'loadbearing:stripe-idempotency:1'

/**
 * SHA-256 of what a request asks for. JSON counts by its members and the tokens of its values, a form by its fields, a
 * multipart form by its parts; anything else, and what cannot be read as what it says it is, by its bytes.
 */
export function fingerprint(content: RequestContent, options: FingerprintOptions = {}): Uint8Array {
  const type = essence(content.contentType)
  const query = formFields(Buffer.from(content.query).toString('latin1')).flat()
  // The number of fields keeps the query apart from what follows it.
  const parts = [version, String(query.length), ...query, type, ...contentParts(type, content, options)]
  if (content.headers !== undefined)
    parts.unshift('headers', String(content.headers.length), ...content.headers.flat())
  // One text, which is hashed as it stands: parts are well-formed Unicode, and their lengths keep them apart.
  let text = ''
  for (const part of parts) text += `${part.length}:${part}`
  return options.secret === undefined
    ? // By way of a text: a buffer that it makes itself costs several times as much.
      Buffer.from(hash('sha256', text, 'latin1'), 'latin1')
    : createHmac('sha256', options.secret).update(text).digest()
}

/** In constant time. */
export function sameFingerprint(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}

/** The first part says how the rest is to be read, so that no two readings meet. */
function contentParts(
  type: string,
  { contentType, body }: RequestContent,
  { leftOut }: FingerprintOptions,
): string[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (/^application\/(?:[^ ]+\+)?json$/.test(type)) {
    const text = utf8(bytes)
    const canonical = text === undefined ? undefined : canonicalJson(text, leftOut)
    if (canonical !== undefined) return ['json', canonical]
  } else if (type === 'application/x-www-form-urlencoded') {
    return ['form', ...formFields(bytes.toString('latin1')).flat()]
  } else if (type === 'multipart/form-data') {
    const boundary = /; *boundary=(?:"([^"]{1,70})"|([^;" ]{1,70}))/i.exec(contentType)
    const parts = boundary === null ? undefined : multipartParts(bytes, boundary[1] ?? boundary[2] ?? '')
    if (parts !== undefined) return ['multipart', ...inOrder(parts).flat()]
  }
  return ['bytes', bytes.toString('latin1')]
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8(bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** The media type without its parameters. */
function essence(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase()
}
