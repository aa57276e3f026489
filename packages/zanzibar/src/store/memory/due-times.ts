/** Times at which something is due, the soonest first: a binary heap. */
export class DueTimes {
  readonly #heap: number[] = []

  add(time: number): void {
    const heap = this.#heap
    let at = heap.length
    for (let above = (at - 1) >>> 1; at > 0 && this.#timeAt(above) > time; above = (at - 1) >>> 1) {
      heap[at] = this.#timeAt(above)
      at = above
    }
    heap[at] = time
  }

  /** The first one after `now`; those up to it are forgotten. */
  nextAfter(now: number): number | undefined {
    while (this.#timeAt(0) <= now) this.#dropFirst()
    return this.#heap[0]
  }

  #dropFirst(): void {
    const heap = this.#heap
    const last = heap.pop() ?? 0
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const below = this.#timeAt(left + 1) < this.#timeAt(left) ? left + 1 : left
      if (this.#timeAt(below) >= last) break
      heap[at] = this.#timeAt(below)
      at = below
    }
    heap[at] = last
  }

  #timeAt(index: number): number {
    return this.#heap[index] ?? Number.POSITIVE_INFINITY
  }
}
