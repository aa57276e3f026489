import { MaglevError, shown } from '../errors.ts'
import type { Member, Sliced } from '../mode/mode.ts'
import { noOwner, type Owners } from './owners.ts'
import type { Turns } from './turns.ts'

/** Slots looked at, or turns taken, between two looks at the clock: below 0.2 ms, weighted turns being the dearest. */
const sliceProbes = 2048

/**
 * Maglev's fill (NSDI'16, section 3.4, pseudocode 1): members take turns; each claims the next free slot of its preference
 * list `(offset + j * skip) mod size`. The lists are never written down: a member's place in its own is one number.
 *
 * Claims the `free` slots of `owners` that nobody owns. The size is a prime, so that every list has every slot.
 */
export function* fill(owners: Owners, free: number, members: readonly Member[], turns: Turns): Sliced<void> {
  const claims = new Claims(owners, free, members, turns)
  while (!claims.walk(sliceProbes)) yield
  yield* claims.claimLast()
}

class Claims {
  readonly #owners: Owners
  readonly #turns: Turns
  readonly #next: Int32Array
  readonly #skips: Int32Array
  /** The greatest number of free slots for which comparing them all is quicker than to walk until one turns up. */
  readonly #few: number
  #batch: Uint32Array = new Uint32Array(0)
  #at = 0
  #free: number

  constructor(owners: Owners, free: number, members: readonly Member[], turns: Turns) {
    this.#owners = owners
    this.#free = free
    this.#turns = turns
    this.#few = Math.round(Math.sqrt(owners.length))
    // `Int32Array.from` with a function would take a tenth of the whole build.
    this.#next = new Int32Array(members.length)
    this.#skips = new Int32Array(members.length)
    for (const [index, { walk }] of members.entries()) {
      this.#next[index] = walk[0] ?? 0
      this.#skips[index] = walk[1] ?? 0
    }
  }

  /** Looks at about `probes` slots; true once few are free. */
  walk(probes: number): boolean {
    // A walk meets a free slot once in size / free steps.
    let claims = Math.ceil((probes * this.#free) / this.#owners.length)
    while (this.#free > this.#few && claims > 0) {
      this.#takeTurns()
      const count = Math.min(claims, this.#free - this.#few, this.#batch.length - this.#at)
      this.#claim(this.#at, this.#at + count)
      this.#at += count
      this.#free -= count
      claims -= count
    }
    return this.#free <= this.#few
  }

  #takeTurns(): void {
    if (this.#at < this.#batch.length) return
    this.#batch = this.#turns()
    this.#at = 0
  }

  /**
   * Serves the turns from `begin` to before `end`. Who is next, and where in its list, is read before a walk, whose end no
   * processor foretells: what is read after it would have to be waited for.
   */
  #claim(begin: number, end: number): void {
    const owners = this.#owners
    const next = this.#next
    const skips = this.#skips
    const batch = this.#batch
    const size = owners.length | 0
    const none = noOwner(owners)
    let member = (batch[begin] ?? 0) | 0
    let slot = (next[member] ?? 0) | 0
    let skip = (skips[member] ?? 0) | 0
    for (let at = begin + 1; at <= end; at++) {
      const following = (at < end ? (batch[at] ?? 0) : 0) | 0
      const followingSlot = (next[following] ?? 0) | 0
      const followingSkip = (skips[following] ?? 0) | 0
      while (owners[slot] !== none) slot = step(slot, skip, size)
      owners[slot] = member
      slot = step(slot, skip, size)
      next[member] = slot
      if (following !== member) slot = followingSlot
      member = following
      skip = followingSkip
    }
  }

  /**
   * Claims the last free slots from their side: of all of them the member takes the one that comes first in its list from
   * where it is. A slot is `(slot - next) / skip` steps away, in the field of integers modulo the size. Half of all the steps
   * of a walk would go into these slots, the square root of the size in number.
   */
  *claimLast(): Sliced<void> {
    const owners = this.#owners
    const slots = new Int32Array(this.#free)
    for (let begin = 0, count = 0; count < slots.length; begin += sliceProbes) {
      if (begin > 0) yield
      const end = Math.min(begin + sliceProbes, owners.length)
      count = collectFree(owners, begin, end, slots, count)
    }
    const inverses = new Int32Array(this.#skips.length)
    let seen = 0
    for (let left = slots.length; left > 0; left--) {
      this.#takeTurns()
      const member = this.#batch[this.#at++] ?? 0
      inverses[member] ||= inverse(this.#skips[member] ?? 0, owners.length)
      const index = nearest(slots, left, this.#next[member] ?? 0, inverses[member] ?? 0, owners.length)
      const slot = slots[index] ?? 0
      owners[slot] = member
      this.#next[member] = slot
      slots[index] = slots[left - 1] ?? 0
      seen += left
      if (seen < sliceProbes) continue
      seen = 0
      yield
    }
  }
}

/** `(slot + skip) mod size` in integers and without a branch, which no processor could foretell. */
function step(slot: number, skip: number, size: number): number {
  const beyond = (slot + skip - size) | 0
  return (beyond + (size & (beyond >> 31))) | 0
}

/** Writes the free slots from `begin` to before `end` into `slots`, from index `count` on, and returns the new count. */
function collectFree(owners: Owners, begin: number, end: number, slots: Int32Array, count: number): number {
  const none = noOwner(owners)
  let at = count
  for (let slot = begin; slot < end; slot++) if (owners[slot] === none) slots[at++] = slot
  return at
}

/** Index of that one of the first `count` slots which is the fewest steps from `from`. */
function nearest(slots: Int32Array, count: number, from: number, inverseSkip: number, size: number): number {
  const reciprocal = 1 / size
  let fewest = size
  let index = 0
  for (let i = 0; i < count; i++) {
    const product = step(slots[i] ?? 0, size - from, size) * inverseSkip
    // Exact: the product is below 2^53 and, unless 0, no multiple of the prime size, so that the quotient is far from a whole.
    const steps = product - Math.floor(product * reciprocal) * size
    if (steps >= fewest) continue
    fewest = steps
    index = i
  }
  return index
}

/** The x with `value * x mod prime = 1`, by the extended Euclidean algorithm in int32. */
function inverse(value: number, prime: number): number {
  let dividend = prime | 0
  let divisor = value | 0
  let last = 0
  let factor = 1
  while (divisor !== 0) {
    const quotient = (dividend / divisor) | 0
    const rest = (dividend - Math.imul(quotient, divisor)) | 0
    dividend = divisor
    divisor = rest
    const before = (last - Math.imul(quotient, factor)) | 0
    last = factor
    factor = before
  }
  return last < 0 ? last + prime : last
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
  let left = free
  let probes = 0
  for (;;) {
    for (const index of turns()) {
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
