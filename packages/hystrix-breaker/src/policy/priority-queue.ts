import { type Linked, LinkedList } from '../linked-list.ts'

interface Entry<Item> extends Linked<Entry<Item>> {
  readonly item: Item
}

/** The highest priority first, and those of one priority in the order of their coming. Any one can be taken out. */
export class PriorityQueue<Item extends { readonly priority: number }> {
  // There are few priorities, and no list is empty. Not Sets, whose first item is slow to find where many have left.
  readonly #byPriority = new Map<number, LinkedList<Entry<Item>>>()
  readonly #entries = new Map<Item, Entry<Item>>()

  get size(): number {
    return this.#entries.size
  }

  /** It must not be in. */
  add(item: Item): void {
    const entry = { item, previous: undefined, next: undefined }
    let same = this.#byPriority.get(item.priority)
    if (same === undefined) {
      same = new LinkedList()
      this.#byPriority.set(item.priority, same)
    }
    same.push(entry)
    this.#entries.set(item, entry)
  }

  first(): Item | undefined {
    return this.#firstOf(Math.max)
  }

  /** The first to have come of the lowest priority. */
  firstOfLowest(): Item | undefined {
    return this.#firstOf(Math.min)
  }

  delete(item: Item): boolean {
    const entry = this.#entries.get(item)
    if (entry === undefined) return false
    this.#entries.delete(item)
    const same = this.#byPriority.get(item.priority)
    same?.remove(entry)
    if (same?.size === 0) this.#byPriority.delete(item.priority)
    return true
  }

  #firstOf(choose: (...priorities: number[]) => number): Item | undefined {
    return this.#byPriority.get(choose(...this.#byPriority.keys()))?.first?.item
  }
}
