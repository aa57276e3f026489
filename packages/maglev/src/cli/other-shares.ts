import { encoded, encodeKey } from '../hash/utf8.ts'
import { type Word64, word64 } from '../hash/word64.ts'
import { xxh64 } from '../hash/xxh64.ts'

/** Points of each backend on the ring. */
export const ringPoints = 1000

const hash: Word64 = word64()

/**
 * Slots of each backend where a table is filled from a ring: each slot, at even distances on the ring, goes to the next point on
 * it. Source: Karger et al., "Consistent Hashing and Random Trees", STOC 1997.
 */
export function ringShares(ids: readonly string[], size: number): Uint32Array {
  // Position on a ring of 2^32 and backend in one number, to be sorted as such.
  const points = new Float64Array(ids.length * ringPoints)
  for (const [backend, id] of ids.entries()) {
    for (let point = 0; point < ringPoints; point++) {
      points[backend * ringPoints + point] = hashOf(`${id}#${point}`) * backendsMax + backend
    }
  }
  points.sort()
  const slots = new Uint32Array(ids.length)
  let next = 0
  for (let slot = 0; slot < size; slot++) {
    const position = Math.floor((slot * 2 ** 32) / size) * backendsMax
    while (next < points.length && (points[next] ?? 0) < position) next++
    count(slots, (points[next % points.length] ?? 0) % backendsMax)
  }
  return slots
}

/**
 * Slots of each backend where each slot goes to the backend that has the highest hash together with it. Source: Thaler and
 * Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", IEEE/ACM Transactions on Networking 1998.
 */
export function rendezvousShares(ids: readonly string[], size: number): Uint32Array {
  const seeds = Int32Array.from(ids, (id) => hashOf(id))
  const slots = new Uint32Array(ids.length)
  for (let slot = 0; slot < size; slot++) {
    const seed = mixed(slot + 1)
    let best = -1
    let owner = 0
    for (let backend = 0; backend < seeds.length; backend++) {
      const weight = mixed(seed ^ (seeds[backend] ?? 0)) >>> 0
      if (weight <= best) continue
      best = weight
      owner = backend
    }
    count(slots, owner)
  }
  return slots
}

const backendsMax = 2 ** 20

function count(slots: Uint32Array, backend: number): void {
  slots[backend] = (slots[backend] ?? 0) + 1
}

/** The low half of XXH64. */
function hashOf(text: string): number {
  const length = encodeKey(text)
  xxh64(encoded, length, 0, 0, hash)
  return hash[0] ?? 0
}

/** The finalizer of MurmurHash3, 32 bits. */
function mixed(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
