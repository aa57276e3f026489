import { MaglevError, shown } from '../errors.ts'
import { viewOf } from '../hash/utf8.ts'
import { toBigint, type Word64, word64 } from '../hash/word64.ts'
import { xxh64 } from '../hash/xxh64.ts'
import type { Maglev } from '../maglev.ts'

/** What is asked of the table that keys are made for: whether its hash is keyed, and that hash. A `Maglev` is one. */
export type HashedTable = Pick<Maglev, 'hash' | 'hashOf'>

/** Hashes a value of a request. `seed` is the hash of what came before it. */
export type ValueHash = (bytes: Uint8Array, seed?: bigint) => bigint

const out: Word64 = word64()

/** XXH64. */
export function publicHash(bytes: Uint8Array, seed: bigint = 0n): bigint {
  const [low = 0, high = 0] = word64(seed)
  xxh64(viewOf(bytes), bytes.length, low, high, out)
  return toBigint(out)
}

/**
 * XXH64, and for a table with a secret its keyed hash: whoever can make values of equal XXH64 would make them meet whatever the
 * table does with that afterwards.
 *
 * @throws MaglevError `INVALID_OPTION`
 */
export function valueHashOf(table: HashedTable | undefined): ValueHash {
  if (table === undefined) return publicHash
  if (typeof table?.hashOf !== 'function') {
    throw new MaglevError(
      'INVALID_OPTION',
      `The table that keys are for must be a Maglev, not ${shown(table)}`,
    )
  }
  return table.hash === 'siphash' ? keyedHash(table) : publicHash
}

/** SipHash takes no seed: it is hashed as eight bytes before the value, which nobody without the secret can put there. */
function keyedHash(table: HashedTable): ValueHash {
  return (bytes, seed) => {
    if (seed === undefined) return table.hashOf(bytes)
    const seeded = Buffer.alloc(8 + bytes.length)
    seeded.writeBigUInt64LE(seed)
    seeded.set(bytes, 8)
    return table.hashOf(seeded)
  }
}

/** Of several values: each hash is the seed of the next. Source: envoyproxy/envoy, hash.cc, `HashUtil::xxHash64`. */
export function hashInTurn(
  hash: ValueHash,
  [first = new Uint8Array(), ...others]: readonly Uint8Array[],
): bigint {
  return others.reduce((seed, value) => hash(value, seed), hash(first))
}

/** The bytes that a string of an HTTP message came from: Node reads those as latin1. What cannot be latin1 is UTF-8. */
export function wireBytes(text: string): Uint8Array {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return Buffer.from(text)
  return Buffer.from(text, 'latin1')
}
