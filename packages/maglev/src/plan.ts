import type { Tables } from './mode/mode.ts'

/** What a change does to one backend, in slots. */
export interface BackendMove {
  readonly before: number
  readonly after: number
  /** Slots that come to it. */
  readonly gained: number
  /** Slots that leave it. */
  readonly lost: number
}

/** What a change would move. Slots divided by the table's size are the part of all keys. */
export interface Movement {
  /** Slots whose owner changes. */
  readonly changed: number
  /**
   * The fewest slots that any algorithm must move to get from the numbers of slots that backends own now to those that they
   * will own: the sum of `before - after` over the backends that end with fewer.
   */
  readonly ideal: number
  /** Slots moved beyond that: `changed - ideal`. */
  readonly collateral: number
  /** Every backend that owns slots before or after, by id. */
  readonly byBackend: ReadonlyMap<string, BackendMove>
}

/** A table with the ids of its members. */
export interface NamedTable {
  readonly ids: readonly string[]
  readonly tables: Tables
}

/** Compares two tables of one size slot by slot. */
export function movement(from: NamedTable, to: NamedTable): Movement {
  const numbers = new Map<string, number>()
  const number = (id: string): number => {
    const known = numbers.get(id)
    if (known !== undefined) return known
    numbers.set(id, numbers.size)
    return numbers.size - 1
  }
  const fromNumbers = from.ids.map(number)
  const toNumbers = to.ids.map(number)
  const none = numbers.size
  const [before, after, gained, lost] = [0, 1, 2, 3].map(() => new Uint32Array(none + 1))
  const fromOwners = from.tables.current
  const toOwners = to.tables.current
  let changed = 0
  for (let slot = 0; slot < fromOwners.length; slot++) {
    const a = fromNumbers[fromOwners[slot] ?? none] ?? none
    const b = toNumbers[toOwners[slot] ?? none] ?? none
    bump(before, a)
    bump(after, b)
    if (a === b) continue
    changed++
    bump(lost, a)
    bump(gained, b)
  }
  const byBackend = new Map<string, BackendMove>()
  let ideal = 0
  const at = (counts: Uint32Array | undefined, index: number): number => counts?.[index] ?? 0
  for (const [id, index] of numbers) {
    const move = {
      before: at(before, index),
      after: at(after, index),
      gained: at(gained, index),
      lost: at(lost, index),
    }
    if (move.before > 0 || move.after > 0) byBackend.set(id, move)
    ideal += Math.max(0, move.before - move.after)
  }
  // Slots that had no owner and get one are moves as well.
  ideal += Math.max(0, at(before, none) - at(after, none))
  return { changed, ideal, collateral: changed - ideal, byBackend }
}

function bump(counts: Uint32Array | undefined, index: number): void {
  if (counts) counts[index] = (counts[index] ?? 0) + 1
}
