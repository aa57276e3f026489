import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import { IdempotencyError } from '../errors.ts'
import type { HeaderLines } from '../http/message.ts'

/** What is kept of a response. */
export interface StoredResponse {
  readonly status: number
  readonly headers: HeaderLines
  /** Of the request that it was the answer to; null where the mode has none. */
  readonly requestId: string | null
  /** Null where it was larger than may be kept: a tombstone. */
  readonly body: Uint8Array | null
  /** SHA-256 of the body, in hexadecimal digits. */
  readonly digest: string
}

/** The headers that are kept of a response, in lower case. Others are of one exchange, not of the answer. */
export const keptHeaders: ReadonlySet<string> = new Set([
  'content-type',
  'content-encoding',
  'content-language',
  'content-disposition',
  'location',
  'content-location',
  'etag',
  'last-modified',
  'link',
])

/** Headers that are never kept, whatever an option says. */
const neverKept: ReadonlySet<string> = new Set([
  'set-cookie',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'date',
  'content-length',
  'request-id',
  'www-authenticate',
  'traceparent',
  'tracestate',
])

/** Whether an option may add this header to those that are kept. */
export function mayBeKept(name: string): boolean {
  return !neverKept.has(name) && !/^(?:x-)?rate-?limit/.test(name)
}

/** What to keep of a body: itself only where it has at most so many bytes. */
export function keptBody(body: Uint8Array, maxBytes: number): Pick<StoredResponse, 'body' | 'digest'> {
  return { body: body.length <= maxBytes ? body : null, digest: hash('sha256', body, 'hex') }
}

/** One line of JSON, then the body. */
export function encodeResponse({ body, ...head }: StoredResponse): Uint8Array {
  const line = Buffer.from(`${JSON.stringify({ ...head, whole: body !== null })}\n`)
  return body === null ? line : Buffer.concat([line, body])
}

/** @throws IdempotencyError `record_corrupt` */
export function decodeResponse(bytes: Uint8Array): StoredResponse {
  const end = bytes.indexOf(0x0a)
  const settled = end < 0 ? settledResponse(bytes) : undefined
  if (settled !== undefined) return settled
  const head = parse(Buffer.from(bytes.subarray(0, Math.max(0, end))).toString())
  if (head === undefined)
    throw new IdempotencyError('record_corrupt', 'the store holds no response of this package')
  const { whole, ...rest } = head
  return { ...rest, body: whole ? bytes.subarray(end + 1) : null }
}

/** Of a record that was uncertain, and settled by a value: that value is the answer. */
function settledResponse(bytes: Uint8Array): StoredResponse | undefined {
  let answer: unknown
  try {
    answer = JSON.parse(Buffer.from(bytes).toString())
  } catch {
    return undefined
  }
  if (typeof answer !== 'object' || answer === null || !('value' in answer)) return undefined
  const body = Buffer.from(JSON.stringify(answer.value))
  return {
    status: 200,
    headers: [['content-type', 'application/json']],
    requestId: null,
    body,
    digest: hash('sha256', body, 'hex'),
  }
}

function parse(line: string): (Omit<StoredResponse, 'body'> & { readonly whole: boolean }) | undefined {
  let head: unknown
  try {
    head = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof head !== 'object' || head === null) return undefined
  if (
    !('status' in head && 'headers' in head && 'requestId' in head && 'digest' in head && 'whole' in head)
  ) {
    return undefined
  }
  const { status, headers, requestId, digest, whole } = head
  return typeof status === 'number' &&
    isHeaderLines(headers) &&
    (typeof requestId === 'string' || requestId === null) &&
    typeof digest === 'string' &&
    typeof whole === 'boolean'
    ? { status, headers, requestId, digest, whole }
    : undefined
}

function isHeaderLines(value: unknown): value is HeaderLines {
  return (
    Array.isArray(value) &&
    value.every(
      (line) => Array.isArray(line) && line.length === 2 && line.every((part) => typeof part === 'string'),
    )
  )
}
