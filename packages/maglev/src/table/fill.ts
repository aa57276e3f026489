import { MaglevError, shown } from '../errors.ts'
import type { Member, Sliced } from '../mode/mode.ts'
import { noOwner, type Owners } from './owners.ts'
import type { Turns } from './turns.ts'

const batchSize = 256
const sliceProbes = 16_384

/**
 * Maglev's fill (NSDI'16, section 3.4, pseudocode 1): members take turns; each claims the next free slot of its preference
 * list `(offset + j * skip) mod size`. The lists are never written down: a member's place in its own is one number.
 *
 * Claims the `free` slots of `owners` that nobody owns.
 */
export function* fill(owners: Owners, free: number, members: readonly Member[], turns: Turns): Sliced<void> {
  const claims = new Claims(owners, free, members, turns)
  while (!claims.run(sliceProbes)) yield
}

class Claims {
  readonly #owners: Owners
  readonly #turns: Turns
  readonly #next: Int32Array
  readonly #skips: Int32Array
  readonly #batch: Uint32Array = new Uint32Array(batchSize)
  #at = batchSize
  #free: number

  constructor(owners: Owners, free: number, members: readonly Member[], turns: Turns) {
    this.#owners = owners
    this.#free = free
    this.#turns = turns
    // `Int32Array.from` with a function would take a tenth of the whole build.
    this.#next = new Int32Array(members.length)
    this.#skips = new Int32Array(members.length)
    for (const [index, { walk }] of members.entries()) {
      this.#next[index] = walk[0] ?? 0
      this.#skips[index] = walk[1] ?? 0
    }
  }

  /** Looks at about `probes` slots; true once nothing is free. */
  run(probes: number): boolean {
    let left = probes
    while (this.#free > 0 && left > 0) {
      if (this.#at === batchSize) {
        this.#turns(this.#batch)
        this.#at = 0
      }
      left = this.#claim(left)
    }
    return this.#free === 0
  }

  /** Serves the batch while `left` lasts. A member stopped in mid-search goes on from there in the next call. */
  #claim(probes: number): number {
    const owners = this.#owners
    const next = this.#next
    const skips = this.#skips
    const batch = this.#batch
    const size = owners.length | 0
    const none = noOwner(owners)
    const begin = this.#at
    const end = Math.min(batchSize, begin + this.#free)
    let at = begin
    let left = probes
    search: for (; at < end && left > 0; at++) {
      const member = batch[at] ?? 0
      const skip = skips[member] ?? 0
      let slot = next[member] ?? 0
      while (owners[slot] !== none) {
        slot = step(slot, skip, size)
        if (--left <= 0) {
          next[member] = slot
          break search
        }
      }
      owners[slot] = member
      next[member] = step(slot, skip, size)
      left--
    }
    this.#at = at
    this.#free -= at - begin
    return left
  }
}

/** `(slot + skip) mod size` in integers and without a branch, which no processor could foretell. */
function step(slot: number, skip: number, size: number): number {
  const beyond = (slot + skip - size) | 0
  return (beyond + (size & (beyond >> 31))) | 0
}

/** Preference lists of another form. */
export interface PreferenceLists {
  /** The j-th entry of a member's list, from 0; entries from the table's size on are passed over. */
  position(member: Member, j: number): number
  /** After how many entries its list repeats itself. */
  period(member: Member): number
}

/** The same fill with preference lists of another form. */
export function* fillByPosition(
  owners: Owners,
  free: number,
  members: readonly Member[],
  turns: Turns,
  lists: PreferenceLists,
): Sliced<void> {
  const none = noOwner(owners)
  const cursors = new Uint32Array(members.length)
  const batch = new Uint32Array(batchSize)
  let left = free
  let probes = 0
  for (;;) {
    turns(batch)
    for (const index of batch) {
      if (left === 0) return
      const member = members[index]
      if (member === undefined) continue
      const given = lists.period(member)
      let slot: number
      let tried = 0
      do {
        if (++probes % sliceProbes === 0) yield
        if (++tried > given) throw unreachable(member)
        const cursor = cursors[index] ?? 0
        cursors[index] = cursor + 1
        slot = lists.position(member, cursor)
      } while (owners[slot] !== none)
      owners[slot] = index
      left--
    }
  }
}

function unreachable({ id }: Member): MaglevError {
  return new MaglevError(
    'UNFILLABLE_TABLE',
    `Backend ${shown(id)}: its preference list repeats before it reaches a free slot; take a smaller table or another hash`,
  )
}
