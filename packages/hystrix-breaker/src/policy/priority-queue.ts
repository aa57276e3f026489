/** The highest priority first, and those of one priority in the order of their coming. Any one can be taken out. */
export class PriorityQueue<Item extends { readonly priority: number }> {
  // There are few priorities, and no set is empty.
  readonly #byPriority = new Map<number, Set<Item>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(item: Item): void {
    const same = this.#byPriority.get(item.priority)
    if (same === undefined) this.#byPriority.set(item.priority, new Set([item]))
    else same.add(item)
    this.#size++
  }

  first(): Item | undefined {
    if (this.#size === 0) return undefined
    const [item] = this.#byPriority.get(Math.max(...this.#byPriority.keys())) ?? []
    return item
  }

  /** The first to have come of the lowest priority. */
  firstOfLowest(): Item | undefined {
    if (this.#size === 0) return undefined
    const [item] = this.#byPriority.get(Math.min(...this.#byPriority.keys())) ?? []
    return item
  }

  delete(item: Item): boolean {
    const same = this.#byPriority.get(item.priority)
    if (same?.delete(item) !== true) return false
    if (same.size === 0) this.#byPriority.delete(item.priority)
    this.#size--
    return true
  }
}
