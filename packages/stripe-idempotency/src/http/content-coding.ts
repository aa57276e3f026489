import { promisify } from 'node:util'
import zlib, { brotliDecompress, gunzip, inflate } from 'node:zlib'

interface Limit {
  readonly maxOutputLength: number
}

const decoders: ReadonlyMap<string, (body: Uint8Array, limit: Limit) => Promise<Uint8Array>> = new Map([
  ['gzip', promisify<Uint8Array, Limit, Uint8Array>(gunzip)],
  ['x-gzip', promisify<Uint8Array, Limit, Uint8Array>(gunzip)],
  ['deflate', promisify<Uint8Array, Limit, Uint8Array>(inflate)],
  ['br', promisify<Uint8Array, Limit, Uint8Array>(brotliDecompress)],
  // Of Node 22.15 and later.
  ...('zstdDecompress' in zlib
    ? [['zstd', promisify<Uint8Array, Limit, Uint8Array>(zlib.zstdDecompress)] as const]
    : []),
])

const codingsMax = 3

/**
 * A body without its content codings (RFC 9110, section 8.4). One that cannot be decoded stays as it is: what to say to it
 * is the application's to decide.
 *
 * @returns null for more than `maxBytes`
 */
export async function withoutCodings(
  body: Uint8Array,
  contentEncoding: readonly string[],
  maxBytes: number,
): Promise<Uint8Array | null> {
  const codings = contentEncoding
    .flatMap((line) => line.split(','))
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length > codingsMax) return body
  let decoded = body
  for (const coding of codings.toReversed()) {
    const decode = decoders.get(coding)
    if (decode === undefined) return body
    try {
      decoded = await decode(decoded, { maxOutputLength: Math.max(1, maxBytes) })
    } catch (error) {
      return isTooLarge(error) ? null : body
    }
  }
  return decoded
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
}
