import type { CopyEntries, MapKey, Value } from './value.ts'

/**
 * Copies the insides of each container once, and changes the copy from then on: for one who alone holds what he makes.
 * So many changes of one container take time in proportion to their number.
 */
export class OwnCopies {
  #entries = new Map<ReadonlyMap<MapKey, Value>, Map<MapKey, Value>>()
  #items = new Map<readonly Value[], Value[]>()
  #copy: CopyEntries
  readonly #copyAgain: CopyEntries

  /** @param copyAgain how entries are copied that were copied before, and let go */
  constructor(copy: CopyEntries = (entries) => new Map(entries), copyAgain: CopyEntries = copy) {
    this.#copy = copy
    this.#copyAgain = copyAgain
  }

  entries(of: ReadonlyMap<MapKey, Value>): Map<MapKey, Value> {
    const own = this.#entries.get(of) ?? this.#copy(of)
    this.#entries.set(own, own)
    return own
  }

  items(of: readonly Value[]): Value[] {
    const own = this.#items.get(of) ?? of.slice()
    this.#items.set(own, own)
    return own
  }

  /** What an interpolation led to may stand at two places from now on: all is copied again before it is changed. */
  letGo(): void {
    this.#copy = this.#copyAgain
    this.#entries = new Map()
    this.#items = new Map()
  }
}
