import { type Linked, LinkedList } from './linked-list.ts'

interface Place<Waiter> extends Linked<Place<Waiter>> {
  readonly waiter: Waiter
}

/** So many at once, and so many more that wait their turn, each once. */
export class Bulkhead<Waiter> {
  readonly #max: number
  readonly #queueMax: number
  // In the order of their coming, and by whom; not one Set, whose first item is slow to find where many have left.
  readonly #queue = new LinkedList<Place<Waiter>>()
  #places: Map<Waiter, Place<Waiter>> | undefined
  #running = 0

  constructor(max: number, queue: number) {
    this.#max = max
    this.#queueMax = queue
  }

  get running(): number {
    return this.#running
  }

  get queued(): number {
    return this.#queue.size
  }

  /** Takes a place; false where none is free. */
  enter(): boolean {
    if (this.#running >= this.#max) return false
    this.#running++
    return true
  }

  /** Into the queue; false where it is full. Only where {@link Bulkhead.enter} found no place. */
  wait(waiter: Waiter): boolean {
    if (this.#queue.size >= this.#queueMax) return false
    const place = { waiter, previous: undefined, next: undefined }
    this.#places ??= new Map()
    this.#places.set(waiter, place)
    this.#queue.push(place)
    return true
  }

  /** Gives the place up: to the first that waits, which is returned and has entered. */
  leave(): Waiter | undefined {
    const next = this.#queue.first?.waiter
    if (next === undefined) this.#running--
    else this.remove(next)
    return next
  }

  /** True where it was waiting. */
  remove(waiter: Waiter): boolean {
    const place = this.#places?.get(waiter)
    if (place === undefined) return false
    this.#places?.delete(waiter)
    this.#queue.remove(place)
    return true
  }

  /** All that wait, who wait no longer. */
  drain(): Waiter[] {
    const all: Waiter[] = []
    for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
      all.push(first.waiter)
      this.remove(first.waiter)
    }
    return all
  }
}
