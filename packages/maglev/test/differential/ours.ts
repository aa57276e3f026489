import { murmur3 } from '../../src/hash/murmur3.ts'
import { siphash24 } from '../../src/hash/siphash.ts'
import { viewOf } from '../../src/hash/utf8.ts'
import { modulo, toBigint, word64 } from '../../src/hash/word64.ts'
import { xxh64 } from '../../src/hash/xxh64.ts'
import { fill } from '../../src/table/fill.ts'
import { freeOwners } from '../../src/table/owners.ts'
import { roundRobin } from '../../src/table/turns.ts'
import type { HashCase } from './arbitraries.ts'

/** The parts of the package that no mode shows alone, in the shape of the peers' answers. */

const utf8 = new TextEncoder()
const out = word64()
const second = word64()

export function hashesOf({ bytes: raw, k0, k1 }: HashCase): Record<string, string> {
  const bytes = viewOf(raw)
  const [low = 0, high = 0] = word64(k0)
  xxh64(bytes, raw.length, low, high, out)
  const xxh = toBigint(out)
  murmur3(bytes, raw.length, low, out, second)
  const murmurH1 = toBigint(out)
  const murmurH2 = toBigint(second)
  siphash24(bytes, raw.length, Uint32Array.of(...word64(k0), ...word64(k1)), out)
  return {
    xxh64: String(xxh),
    murmurH1: String(murmurH1),
    murmurH2: String(murmurH2),
    siphash: String(toBigint(out)),
  }
}

function kkdaiHash(text: string, key: number): typeof out {
  const bytes = utf8.encode(text)
  siphash24(viewOf(bytes), bytes.length, Uint32Array.of(key, 0, 0, 0), out)
  return out
}

/** kkdai's hash of a key. */
export function slotOfKkdai(key: string, size: number): number {
  return modulo(kkdaiHash(key, 0xdeadbabe), size)
}

/** The owners' ids by slot that our fill makes of kkdai's offsets and skips. */
export function kkdaiTable(size: number, ids: readonly string[]): (string | undefined)[] {
  const sorted = ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const members = sorted.map((id) => ({
    id,
    weight: 1,
    zone: undefined,
    hash: undefined,
    rank: 0n,
    walk: Uint32Array.of(
      modulo(kkdaiHash(id, 0xdeadbabe), size),
      modulo(kkdaiHash(id, 0xdeadbeef), size - 1) + 1,
    ),
  }))
  const owners = freeOwners(size, members.length)
  const build = fill(owners, size, members, roundRobin(Uint32Array.from(members.keys())))
  while (build.next().done !== true);
  return Array.from(owners, (owner) => sorted[owner])
}
