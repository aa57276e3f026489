import { MaglevError, shown } from '../errors.ts'
import { murmur3 } from '../hash/murmur3.ts'
import { encoded, encodeKey } from '../hash/utf8.ts'
import { modulo, word64 } from '../hash/word64.ts'
import { fill } from '../table/fill.ts'
import { freeOwners } from '../table/owners.ts'
import { roundRobin, type Turns } from '../table/turns.ts'
import { refuseHash, wantInteger } from './checks.ts'
import { eligible, type Member, type Mode, type ModeSettings } from './mode.ts'

export const ciliumSizes: readonly number[] = [251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071]

const batchSize = 256
const defaultSeed = 'JLfvgnHc2kaSUFaI'
const h1 = word64()
const h2 = word64()

/**
 * Cilium's table, slot for slot; the id is Cilium's own string for the backend, such as
 * `[10.0.0.1:80/TCP,State:active]`. Source: cilium/cilium, pkg/maglev.
 */
export function cilium({ size, seed }: ModeSettings): Mode {
  const murmurSeed = decodeSeed(seed ?? defaultSeed)
  return {
    check(backend) {
      refuseHash(backend)
      wantInteger('cilium', backend, 0xffff)
    },
    rank: () => 0n,
    walk({ id }) {
      const length = encodeKey(id)
      murmur3(encoded, length, murmurSeed, h1, h2)
      return Uint32Array.of(modulo(h1, size), modulo(h2, size - 1) + 1)
    },
    *build(roster) {
      const owners = freeOwners(size, roster.members.length)
      const members = eligible(roster)
      if (members.length > 0) yield* fill(owners, size, roster.members, turns(members, roster.members))
      return { base: owners, current: owners }
    },
  }
}

function turns(members: Uint32Array, all: readonly Member[]): Turns {
  const count = members.length
  const weights = Float64Array.from(members, (index) => all[index]?.weight ?? 0)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  // Weights count only from an average of 2 on.
  if (Math.floor(sum / count) <= 1) return roundRobin(members)
  const counters = weights.map((weight) => weight / count)
  const batch = new Uint32Array(batchSize)
  let turn = 0
  return () => {
    for (let i = 0; i < batchSize; i++) {
      let at = turn % count
      turn++
      // Ends: the counters sum to less than turn * sum + sum, so that one of them is at most turn * weight.
      while (turn * (weights[at] ?? 0) < Math.trunc(counters[at] ?? 0)) at = (at + 1) % count
      counters[at] = (counters[at] ?? 0) + sum
      batch[i] = members[at] ?? 0
    }
    return batch
  }
}

/** The first four of the twelve bytes, big-endian; Cilium's data path uses the other eight for flows. */
function decodeSeed(seed: bigint | string): number {
  if (typeof seed !== 'string' || !/^[A-Za-z0-9+/]{16}$/.test(seed)) {
    throw new MaglevError(
      'INVALID_OPTION',
      `mode cilium: seed must be base64 of 12 bytes, not ${shown(seed)}`,
    )
  }
  return Buffer.from(seed, 'base64').readUInt32BE(0)
}
