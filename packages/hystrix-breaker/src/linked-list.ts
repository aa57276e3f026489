/** What a {@link LinkedList} can hold; one list at a time. */
export interface Linked<Item> {
  /** Of the list alone. */
  previous: Item | undefined
  next: Item | undefined
}

/** A queue whose items know their neighbours: nothing is made for an item, and any one leaves at once. */
export class LinkedList<Item extends Linked<Item>> {
  size = 0
  first: Item | undefined
  #last: Item | undefined

  push(item: Item): void {
    const last = this.#last
    item.previous = last
    if (last === undefined) this.first = item
    else last.next = item
    this.#last = item
    this.size++
  }

  /** The item must be in this list. */
  remove(item: Item): void {
    const { previous, next } = item
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    item.previous = item.next = undefined
    this.size--
  }
}
