import { viewOf } from '../hash/utf8.ts'
import { toBigint, type Word64, word64 } from '../hash/word64.ts'
import { xxh64 } from '../hash/xxh64.ts'

const out: Word64 = word64()

/** XXH64 of some bytes. */
export function hashBytes(bytes: Uint8Array, seed: bigint = 0n): bigint {
  const [low = 0, high = 0] = word64(seed)
  xxh64(viewOf(bytes), bytes.length, low, high, out)
  return toBigint(out)
}

/** XXH64 of several values: each hash is the seed of the next. Source: envoyproxy/envoy, hash.cc, `HashUtil::xxHash64`. */
export function hashInTurn(values: readonly Uint8Array[]): bigint {
  return values.reduce((seed, value) => hashBytes(value, seed), 0n)
}

/** The bytes that a string of an HTTP message came from: Node reads those as latin1. What cannot be latin1 is UTF-8. */
export function wireBytes(text: string): Uint8Array {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return Buffer.from(text)
  return Buffer.from(text, 'latin1')
}
