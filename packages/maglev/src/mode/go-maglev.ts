import { MaglevError, shown } from '../errors.ts'
import { siphash24 } from '../hash/siphash.ts'
import { encoded, encodeKey } from '../hash/utf8.ts'
import { toBigint, type Word64, word64 } from '../hash/word64.ts'
import { fillByPosition, type PreferenceLists } from '../table/fill.ts'
import { freeBeyond } from '../table/free.ts'
import { freeOwners } from '../table/owners.ts'
import { nextPrime } from '../table/prime.ts'
import { roundRobin } from '../table/turns.ts'
import { refuseHash, refuseSeed } from './checks.ts'
import { eligible, type Mode, type ModeSettings } from './mode.ts'

/** Its owners are int16. */
export const goMaglevBackendsMax = 32_767

const strength = 3
const hash: Word64 = word64()

/**
 * The table of github.com/dgryski/go-maglev, slot for slot, with its default permutation strength: `New`, then `Rebuild` with
 * the unavailable ones. Sizes need not be prime: lists are permutations of the next prime, and entries beyond the table are
 * passed over.
 */
export function goMaglev({ size, seed }: ModeSettings): Mode {
  refuseSeed('go-maglev', seed)
  // Its primality test takes 2 and 3 for composite.
  const prime = nextPrime(Math.max(5, size))
  const lists: PreferenceLists = {
    position({ walk }, j) {
      let at = j
      for (let level = 0; level < strength; level++) {
        at = ((walk[2 * level] ?? 0) + (walk[2 * level + 1] ?? 0) * at) % prime
      }
      return at
    },
    period: () => prime,
  }
  return {
    check(backend) {
      refuseHash(backend)
      if (backend.weight !== 1) {
        throw new MaglevError(
          'INVALID_WEIGHT',
          `Backend ${shown(backend.id)}: mode go-maglev knows no weights, so 1 it must be, not ${backend.weight}`,
        )
      }
    },
    rank: ({ id }) => toBigint(hashName(id, 0)),
    walk({ id }) {
      const walk = new Uint32Array(2 * strength)
      for (let level = 0; level < strength; level++) {
        const [low = 0, high = 0] = hashName(id, level)
        walk[2 * level] = high % prime
        walk[2 * level + 1] = (low % (prime - 1)) + 1
      }
      return walk
    },
    *build(roster, lastBase) {
      const { members, available } = roster
      const all = Uint32Array.from(members.keys())
      let base = lastBase
      if (base === undefined) {
        base = freeOwners(size, members.length)
        if (all.length > 0) yield* fillByPosition(base, size, members, roundRobin(all), lists)
      }
      if (available.every((flag) => flag === 1)) return { base, current: base }
      const { owners, free } = yield* freeBeyond(
        base,
        Uint32Array.from(available, (flag) => flag * size),
      )
      const alive = eligible(roster).toReversed()
      if (alive.length > 0) yield* fillByPosition(owners, free, members, roundRobin(alive), lists)
      return { base, current: owners }
    },
  }
}

/** SipHash-2-4 of the name under the key (0xdeadbeefcafebabe, level). */
function hashName(name: string, level: number): Word64 {
  const length = encodeKey(name)
  siphash24(encoded, length, Uint32Array.of(0xcafebabe, 0xdeadbeef, level, 0), hash)
  return hash
}
