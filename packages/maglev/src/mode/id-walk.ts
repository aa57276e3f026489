import { encoded, encodeKey } from '../hash/utf8.ts'
import { modulo, type Word64, word64 } from '../hash/word64.ts'
import { xxh64 } from '../hash/xxh64.ts'

const hash: Word64 = word64()

/**
 * Envoy's preference lists: offset `XXH64(id, seed) mod size`, skip `XXH64(id, seed + 1) mod (size - 1) + 1`, with seed 0
 * there.
 */
export function idWalks(size: number, seed: bigint): (backend: { readonly id: string }) => Uint32Array {
  const [offsetLow = 0, offsetHigh = 0] = word64(seed)
  const [skipLow = 0, skipHigh = 0] = word64(seed + 1n)
  return ({ id }) => {
    const length = encodeKey(id)
    xxh64(encoded, length, offsetLow, offsetHigh, hash)
    const offset = modulo(hash, size)
    xxh64(encoded, length, skipLow, skipHigh, hash)
    return Uint32Array.of(offset, modulo(hash, size - 1) + 1)
  }
}
