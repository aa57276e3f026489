import type { Roster, Sliced } from '../mode/mode.ts'
import { noOwner, type Owners } from './owners.ts'

const sliceSlots = 16_384

/** A copy of `base` in which the slots of unavailable members are free. */
export interface Freed {
  readonly owners: Owners
  /** Slots of each member in the copy. */
  readonly counts: Uint32Array
  readonly free: number
}

export function* freeOwnersOf(base: Owners, { members, available }: Roster): Sliced<Freed> {
  const owners = base.slice()
  const counts = new Uint32Array(members.length)
  const none = noOwner(base)
  let free = 0
  for (let slot = 0; slot < owners.length; slot++) {
    if (slot % sliceSlots === sliceSlots - 1) yield
    const owner = owners[slot] ?? none
    if (available[owner] === 1) counts[owner] = (counts[owner] ?? 0) + 1
    else {
      owners[slot] = none
      free++
    }
  }
  return { owners, counts, free }
}
