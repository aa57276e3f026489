import { apportion } from '../table/apportion.ts'
import { fill } from '../table/fill.ts'
import { freeOwners, type Owners } from '../table/owners.ts'
import { roundRobin, type Turns, weightedRounds } from '../table/turns.ts'
import { eligible, type Roster, type Sliced } from './mode.ts'
import { allEqual, shares } from './shares.ts'

/**
 * The table of our own modes, for the members that are available: Maglev's fill, weighted by giving each member the number of
 * slots that is its due before turns begin. So a member's slots are within one of its proportional share, and one with any
 * weight above 0 has at least one where there are enough. Equal weights take turns exactly as in the paper.
 */
export function* fillProportionally(roster: Roster, size: number): Sliced<Owners> {
  // With ten thousand members, or five million slots, each of these takes longer than a slice may.
  const owners = freeOwners(size, roster.members.length)
  yield
  const turns = proportionalTurns(roster, size)
  yield
  if (turns) yield* fill(owners, size, roster.members, turns)
  return owners
}

function proportionalTurns(roster: Roster, size: number): Turns | undefined {
  const all = eligible(roster)
  const allShares = shares(roster, all)
  const members = all.filter((_, i) => (allShares[i] ?? 0) > 0)
  const weights = allShares.filter((share) => share > 0)
  if (members.length === 0) return undefined
  if (allEqual(weights)) return roundRobin(members)
  const floors = new Uint32Array(members.length).fill(members.length <= size ? 1 : 0)
  return quotaTurns(members, apportion(size, weights, floors))
}

/** Turns in which each of `members` has as many as its quota, spread evenly over the rounds. */
export function quotaTurns(members: Uint32Array, quotas: Uint32Array): Turns {
  const some = members.filter((_, i) => (quotas[i] ?? 0) > 0)
  return weightedRounds(some, Float64Array.from(quotas.filter((quota) => quota > 0)), 1)
}
