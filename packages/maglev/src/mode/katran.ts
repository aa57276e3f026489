import { MaglevError, shown } from '../errors.ts'
import { murmur3 } from '../hash/murmur3.ts'
import { modulo, type Word64, word64 } from '../hash/word64.ts'
import { fillByPosition, type PreferenceLists } from '../table/fill.ts'
import { freeOwners } from '../table/owners.ts'
import type { Turns } from '../table/turns.ts'
import { refuseSeed, wantInteger } from './checks.ts'
import { eligible, type Mode, type ModeSettings } from './mode.ts'

/**
 * Katran's ring, slot for slot, with either of its two weight rules. A backend is placed by its `hash` (in production that is
 * folly's hash of the address); ids only break ties. Made from a description of its behaviour, not from its source.
 */
export function katran(version: 'katran-v1' | 'katran-v2', { size, seed }: ModeSettings): Mode {
  refuseSeed(version, seed)
  const turnsOf = version === 'katran-v1' ? firstRoundTurns : creditTurns
  const lists: PreferenceLists = {
    // A uint32 there: on a large ring it wraps, and the list is no longer a permutation …
    position: ({ walk }, j) => ((Math.imul(j, walk[1] ?? 0) + (walk[0] ?? 0)) >>> 0) % size,
    // … of which a skip with many factors of 2 sees only a part; Katran itself would search for ever.
    period: ({ walk }) => 2 ** 32 / ((walk[1] ?? 1) & -(walk[1] ?? 1)),
  }
  return {
    check(backend) {
      wantInteger(version, backend, 0xffffffff)
      if (backend.hash === undefined) {
        throw new MaglevError(
          'INVALID_BACKEND',
          `Backend ${shown(backend.id)}: mode ${version} needs its hash`,
        )
      }
    },
    rank: ({ hash = 0n }) => hash,
    walk: ({ hash = 0n }) =>
      Uint32Array.of(
        modulo(hashPair(hash, 42n, 0), size),
        modulo(hashPair(hash, 2718281828n, 2307), size - 1) + 1,
      ),
    *build(roster) {
      const owners = freeOwners(size, roster.members.length)
      const members = eligible(roster)
      if (members.length === 1) owners.fill(members[0] ?? 0)
      if (members.length > 1) {
        const weights = Float64Array.from(members, (index) => roster.members[index]?.weight ?? 0)
        yield* fillByPosition(owners, size, roster.members, turnsOf(members, weights), lists)
      }
      return { base: owners, current: owners }
    },
  }
}

const batchSize = 256

/** V1: as many turns as its weight in the first round, then one in each. */
function firstRoundTurns(members: Uint32Array, weights: Float64Array): Turns {
  let at = 0
  let first = true
  let left = weights[0] ?? 0
  const batch = new Uint32Array(batchSize)
  return () => {
    for (let i = 0; i < batchSize; i++) {
      batch[i] = members[at] ?? 0
      if (--left > 0) continue
      at++
      if (at === members.length) {
        at = 0
        first = false
      }
      left = first ? (weights[at] ?? 0) : 1
    }
    return batch
  }
}

/** V2: each round adds its weight to its credit; a turn costs the greatest weight. */
function creditTurns(members: Uint32Array, weights: Float64Array): Turns {
  const greatest = weights.reduce((most, weight) => Math.max(most, weight), 0)
  const credits = new Float64Array(members.length)
  const batch = new Uint32Array(batchSize)
  let at = 0
  return () => {
    for (let i = 0; i < batchSize; ) {
      const credit = (credits[at] ?? 0) + (weights[at] ?? 0)
      credits[at] = credit >= greatest ? credit - greatest : credit
      if (credit >= greatest) batch[i++] = members[at] ?? 0
      at = at + 1 === members.length ? 0 : at + 1
    }
    return batch
  }
}

const pair = new DataView(new ArrayBuffer(16))
const result: Word64 = word64()
const second: Word64 = word64()

/** First half of MurmurHash3_x64_128 of two uint64. */
function hashPair(hash: bigint, constant: bigint, seed: number): Word64 {
  pair.setBigUint64(0, hash, true)
  pair.setBigUint64(8, constant, true)
  murmur3(pair, 16, seed, result, second)
  return result
}
