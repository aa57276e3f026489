import type { Roster, Sliced } from '../mode/mode.ts'
import { noOwner, type Owners } from './owners.ts'

const sliceSlots = 16_384

/** A copy of `base` in which the slots of unavailable members are free, and those that ramping ones do not have yet. */
export interface Freed {
  readonly owners: Owners
  /** Slots of each member in the copy. */
  readonly counts: Uint32Array
  readonly free: number
}

export function* freeOwnersOf(base: Owners, { members, available, ramps }: Roster): Sliced<Freed> {
  const owners = base.slice()
  const counts = new Uint32Array(members.length)
  const none = noOwner(base)
  const limits = ramps && (yield* slotsOfRamps(base, ramps))
  let free = 0
  for (let slot = 0; slot < owners.length; slot++) {
    if (slot % sliceSlots === sliceSlots - 1) yield
    const owner = owners[slot] ?? none
    const held = counts[owner] ?? 0
    if (available[owner] === 1 && (limits === undefined || held < (limits[owner] ?? 0))) {
      counts[owner] = held + 1
    } else {
      owners[slot] = none
      free++
    }
  }
  return { owners, counts, free }
}

/**
 * How many of its slots in `base` each member has by its ramp. It has the first so many, so that a later step of the ramp only
 * adds to them.
 */
function* slotsOfRamps(base: Owners, ramps: Float64Array): Sliced<Uint32Array> {
  const counts = new Uint32Array(ramps.length)
  for (let slot = 0; slot < base.length; slot++) {
    if (slot % sliceSlots === sliceSlots - 1) yield
    const owner = base[slot] ?? noOwner(base)
    counts[owner] = (counts[owner] ?? 0) + 1
  }
  return counts.map((count, member) => Math.ceil(count * (ramps[member] ?? 1)))
}
