import { encoded, encodeKey } from '../hash/utf8.ts'
import { modulo, type Word64, word64 } from '../hash/word64.ts'
import { xxh64 } from '../hash/xxh64.ts'

const hash: Word64 = word64()

/**
 * Envoy's preference list of an id: offset `XXH64(id, seed) mod size`, skip `XXH64(id, seed + 1) mod (size - 1) + 1`, with
 * seed 0 there.
 */
export function idWalk(id: string, size: number, seed: bigint): Uint32Array {
  const length = encodeKey(id)
  const [low = 0, high = 0] = word64(seed)
  xxh64(encoded, length, low, high, hash)
  const offset = modulo(hash, size)
  const [nextLow = 0, nextHigh = 0] = word64(seed + 1n)
  xxh64(encoded, length, nextLow, nextHigh, hash)
  return Uint32Array.of(offset, modulo(hash, size - 1) + 1)
}
