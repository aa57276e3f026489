/** So many at once, and so many more that wait their turn. */
export class Bulkhead<Waiter> {
  readonly #max: number
  readonly #queueMax: number
  // In the order of their coming; taking one out of the middle is cheap.
  readonly #queue = new Set<Waiter>()
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

  enter(waiter: Waiter): 'entered' | 'queued' | 'full' {
    if (this.#running < this.#max) {
      this.#running++
      return 'entered'
    }
    if (this.#queue.size >= this.#queueMax) return 'full'
    this.#queue.add(waiter)
    return 'queued'
  }

  /** Gives the place up: to the first that waits, which is returned and has entered. */
  leave(): Waiter | undefined {
    const [next] = this.#queue
    if (next === undefined) this.#running--
    else this.#queue.delete(next)
    return next
  }

  /** True where it was waiting. */
  remove(waiter: Waiter): boolean {
    return this.#queue.delete(waiter)
  }

  /** All that wait, who wait no longer. */
  drain(): Waiter[] {
    const all = [...this.#queue]
    this.#queue.clear()
    return all
  }
}
