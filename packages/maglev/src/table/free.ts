import type { Sliced } from '../mode/mode.ts'
import { noOwner, type Owners } from './owners.ts'

/** Before the engine has compiled a loop it takes ten times as long. */
const sliceSlots = 4096

/** How many slots of `owners` each of so many members has. */
export function* countSlots(owners: Owners, members: number): Sliced<Uint32Array> {
  const counts = new Uint32Array(members)
  for (let slot = 0; slot < owners.length; slot++) {
    if (slot % sliceSlots === sliceSlots - 1) yield
    const owner = owners[slot] ?? 0
    if (owner < members) counts[owner] = (counts[owner] ?? 0) + 1
  }
  return counts
}

/** A copy of `base` in which each member keeps the first so many of its slots as `limits` says, and the others are free. */
export function* freeBeyond(
  base: Owners,
  limits: Uint32Array,
): Sliced<{ readonly owners: Owners; readonly free: number }> {
  const owners = base.slice()
  yield
  const left = limits.slice()
  const none = noOwner(base)
  let free = 0
  for (let slot = 0; slot < owners.length; slot++) {
    if (slot % sliceSlots === sliceSlots - 1) yield
    const owner = owners[slot] ?? none
    const more = left[owner] ?? 0
    if (more > 0) left[owner] = more - 1
    else {
      owners[slot] = none
      free++
    }
  }
  return { owners, free }
}
