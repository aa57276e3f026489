import { modulo, type Word64, word64 } from './hash/word64.ts'
import type { Tables } from './mode/mode.ts'
import { noOwner } from './table/owners.ts'

const mixed: Word64 = word64()

/** Who may be among the replicas. */
export interface Takers {
  /** 1 for each member that takes keys. */
  readonly available: Uint8Array
  /** How many of those have a weight: no walk finds more. */
  readonly takers: number
}

/**
 * The first `count` distinct owners of a key, as member indexes: its owner, then the available owners met on a walk over the
 * base table from its slot, by a step of its own. Walking the base keeps a replica in its place while others fail.
 *
 * `hash` is the key's.
 */
export function replicaMembers(
  { base, current }: Tables,
  { available, takers }: Takers,
  slot: number,
  hash: Word64,
  count: number,
): number[] {
  const size = base.length
  const owner = current[slot] ?? noOwner(current)
  if (owner === noOwner(current) || count === 0) return []
  const found = [owner]
  const seen = new Uint8Array(available.length)
  seen[owner] = 1
  const step = stepOf(hash, size)
  // Without the second bound, asking for more than there are would walk all of the table.
  const most = Math.min(count, takers)
  for (let at = (slot + step) % size; at !== slot && found.length < most; at = (at + step) % size) {
    const next = base[at] ?? noOwner(base)
    if (available[next] !== 1 || seen[next] === 1) continue
    seen[next] = 1
    found.push(next)
  }
  return found
}

/** A step of 1 to size - 1 that owes nothing to the slot: keys of one slot part ways after it. */
function stepOf(hash: Word64, size: number): number {
  const low = hash[0] ?? 0
  const high = hash[1] ?? 0
  // The finisher of MurmurHash3 (fmix32), on each half.
  mixed[0] = mix(low ^ Math.imul(high, 0x9e3779b1))
  mixed[1] = mix(high ^ low ^ 0x9e3779b1)
  return size === 2 ? 1 : modulo(mixed, size - 1) + 1
}

function mix(half: number): number {
  let h = half
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
