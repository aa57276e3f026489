/**
 * The order of turns, as an endless sequence of member indexes: each call gives the next ones, in an array that may be the same
 * one every time. What comes after the turn that fills the table is never looked at.
 */
export type Turns = () => Uint32Array

const batchSize = 256

/** One turn each, round after round, in the order given (at least one member). */
export function roundRobin(members: Uint32Array): Turns {
  const rounds = Math.ceil(batchSize / members.length)
  const batch = new Uint32Array(members.length * rounds)
  for (let round = 0; round < rounds; round++) batch.set(members, round * members.length)
  return () => batch
}

/**
 * Weighted rounds, Envoy's rule: in round r = 1, 2, … the members are asked in the order given, and one takes a turn unless
 * `r * weight < target`; a turn adds the greatest weight to its target. So the heaviest has a turn in every round, one of half
 * the weight in every second, and everyone has one in the first. All weights must be above 0; `weights[i]` belongs to
 * `members[i]`.
 *
 * `start` is each target at the outset. 0 is Envoy's. 1, with whole weights, makes a member's turns of the first
 * `max(weights)` rounds exactly as many as its weight.
 *
 * A heap of (round, order) keeps a turn at O(log n) where asking everyone costs O(n * greatest / least weight).
 */
export function weightedRounds(members: Uint32Array, weights: Float64Array, start: 0 | 1): Turns {
  const count = members.length
  const greatest = weights.reduce((most, weight) => Math.max(most, weight), 0)
  const targets = new Float64Array(count).fill(start)
  // Round by round: place in the order breaks ties. In the first round everyone is due, in order, which is a heap.
  const rounds = new Float64Array(count).fill(1)
  const heap = Uint32Array.from({ length: count }, (_, order) => order)

  const before = (a: number, b: number): boolean => {
    const difference = (rounds[a] ?? 0) - (rounds[b] ?? 0)
    return difference < 0 || (difference === 0 && a < b)
  }
  const sinkFirst = (): void => {
    const sinking = heap[0] ?? 0
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= count) break
      if (child + 1 < count && before(heap[child + 1] ?? 0, heap[child] ?? 0)) child++
      if (!before(heap[child] ?? 0, sinking)) break
      heap[at] = heap[child] ?? 0
      at = child
    }
    heap[at] = sinking
  }
  const batch = new Uint32Array(batchSize)
  return () => {
    for (let i = 0; i < batchSize; i++) {
      const first = heap[0] ?? 0
      batch[i] = members[first] ?? 0
      const target = (targets[first] ?? 0) + greatest
      targets[first] = target
      rounds[first] = dueRound((rounds[first] ?? 0) + 1, weights[first] ?? 0, target)
      sinkFirst()
    }
    return batch
  }
}

const roundsMax = 2 ** 32

/** The first round from `earliest` on with `round * weight >= target`, by the same floating-point product as Envoy's. */
function dueRound(earliest: number, weight: number, target: number): number {
  let round = Math.max(earliest, Math.floor(target / weight) - 1)
  // The heaviest takes a turn in every round: long before this one the table is full.
  if (round > roundsMax) return Number.POSITIVE_INFINITY
  while (round * weight < target) round++
  return round
}
