import type { Maglev } from '@loadbearing/maglev'
import { DeskError } from './errors.ts'

/** What a new table did to the ownership of claims. */
export interface Move {
  /** Workers that have no slot any more, and those that have some again. */
  readonly lost: readonly string[]
  readonly back: readonly string[]
  /** Claims that the lost workers owned, and those whose first owner is back. */
  readonly owned: number
  /** Of these, claims that have another owner now. */
  readonly moved: number
  /** Of all other claims, those that have another owner now. */
  readonly collateral: number
  /** Claims that are not with their first owner though it is there: against what Maglev's stable table promises. */
  readonly strayed: number
  /** Slots of the table that changed, and how many had to. */
  readonly slots: { readonly changed: number; readonly ideal: number }
}

/** Which worker owns which claim: Maglev's table over the workers, looked up by `claim:<number>`. */
export class Assignment {
  /** Worker ids, as the table lists them. */
  readonly workers: readonly string[]
  readonly #table: Maglev
  /**
   * The slot of each claim. It never changes, and to hash three million keys takes a second in which the desk hears no answer: were
   * that done for each new table, the probes under way would fail, and the next table be on its way.
   */
  readonly #slotOf: Int32Array
  /** The owners when all workers were there. */
  readonly #first: Uint16Array
  #owners: Uint16Array
  #slots: Int32Array

  constructor(table: Maglev, claims: number) {
    this.#table = table
    this.workers = table.backends.map(({ id }) => id)
    const tableSize = BigInt(table.tableSize)
    this.#slotOf = Int32Array.from({ length: claims }, (_, claim) =>
      Number(table.hashOf(keyOf(claim)) % tableSize),
    )
    this.#slots = table.owners()
    this.#first = this.#lookUp()
    this.#owners = this.#first
  }

  /** The place of the worker in `workers` that owns the claim. */
  ownerOf(claim: number): number {
    return this.#owners[claim] ?? 0
  }

  /** All claims by owner, each owner's in order. */
  byOwner(): Uint32Array[] {
    return byPlace(this.workers.length, Uint32Array.from(this.#owners.keys()), (claim) => this.ownerOf(claim))
  }

  /** Looks every claim up in the table that is in force now. */
  refresh(): Move {
    const slotsBefore = this.#slots
    this.#slots = this.#table.owners()
    const had = slotsOf(slotsBefore, this.workers.length)
    const has = slotsOf(this.#slots, this.workers.length)
    const lost = has.map((slots, place) => slots === 0 && (had[place] ?? 0) > 0)
    const back = has.map((slots, place) => slots > 0 && had[place] === 0)

    const before = this.#owners
    this.#owners = this.#lookUp()
    let owned = 0
    let moved = 0
    let collateral = 0
    let strayed = 0
    for (let claim = 0; claim < before.length; claim++) {
      const from = before[claim] ?? 0
      const to = this.#owners[claim] ?? 0
      const home = this.#first[claim] ?? 0
      if (lost[from] || back[home]) {
        owned++
        if (from !== to) moved++
      } else if (from !== to) collateral++
      if (home !== to && has[home] !== 0) strayed++
    }
    return {
      lost: this.workers.filter((_, place) => lost[place]),
      back: this.workers.filter((_, place) => back[place]),
      owned,
      moved,
      collateral,
      strayed,
      slots: {
        changed: this.#slots.reduce((sum, owner, slot) => sum + (owner === slotsBefore[slot] ? 0 : 1), 0),
        ideal: had.reduce((sum, slots, place) => sum + Math.max(0, slots - (has[place] ?? 0)), 0),
      },
    }
  }

  #lookUp(): Uint16Array {
    const slots = this.#slots
    if (slots.includes(-1)) throw nobodyLeft()
    const owners = new Uint16Array(this.#slotOf.length)
    for (let claim = 0; claim < owners.length; claim++) owners[claim] = slots[this.#slotOf[claim] ?? 0] ?? 0
    return owners
  }
}

/** What a claim is looked up by. */
export function keyOf(claim: number): string {
  return `claim:${claim}`
}

/** Claims by the place that `placeOf` gives each, in the order of `claims`. */
export function byPlace(
  places: number,
  claims: Uint32Array,
  placeOf: (claim: number) => number,
): Uint32Array[] {
  const counts = new Uint32Array(places)
  for (const claim of claims) {
    const place = placeOf(claim)
    counts[place] = (counts[place] ?? 0) + 1
  }
  const parts = Array.from(counts, (count) => new Uint32Array(count))
  counts.fill(0)
  for (const claim of claims) {
    const place = placeOf(claim)
    const at = counts[place] ?? 0
    const part = parts[place]
    if (part !== undefined) part[at] = claim
    counts[place] = at + 1
  }
  return parts
}

export function nobodyLeft(): DeskError {
  return new DeskError('NO_WORKER_LEFT', 'every worker is lost, nobody is left to own the claims')
}

function slotsOf(owners: Int32Array, workers: number): number[] {
  const counts = Array.from({ length: workers }, () => 0)
  for (const owner of owners) if (owner >= 0) counts[owner] = (counts[owner] ?? 0) + 1
  return counts
}
