import type { Clock } from '../ports.ts'

class Timer {
  readonly at: number
  readonly order: number
  readonly callback: () => void
  cleared = false

  constructor(at: number, order: number, callback: () => void) {
    this.at = at
    this.order = order
    this.callback = callback
  }
}

/** Time that passes only from one timer to the next. Wall-clock time begins at 0. */
export class VirtualClock implements Clock {
  // A binary heap: the next one first.
  readonly #heap: Timer[] = []
  #now = 0
  #order = 0

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  setTimeout(callback: () => void, delay: number): unknown {
    const timer = new Timer(this.#now + Math.max(0, delay), this.#order++, callback)
    this.#heap.push(timer)
    this.#rise(this.#heap.length - 1)
    return timer
  }

  clearTimeout(handle: unknown): void {
    if (handle instanceof Timer) handle.cleared = true
  }

  /** Up to `end`, with what promises do after each timer done before the next one. */
  async advance(end: number): Promise<void> {
    while (true) {
      const [next] = this.#heap
      if (next === undefined || next.at > end) break
      this.#pop()
      if (next.cleared) continue
      this.#now = next.at
      next.callback()
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    }
    this.#now = Math.max(this.#now, end)
  }

  #pop(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    let index = 0
    while (true) {
      const left = 2 * index + 1
      const child = this.#before(left + 1, left) ? left + 1 : left
      if (!this.#before(child, index)) return
      this.#swap(child, index)
      index = child
    }
  }

  #rise(from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#before(index, parent)) return
      this.#swap(index, parent)
      index = parent
    }
  }

  #before(a: number, b: number): boolean {
    const [first, second] = [this.#heap[a], this.#heap[b]]
    if (first === undefined || second === undefined) return false
    return first.at < second.at || (first.at === second.at && first.order < second.order)
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]]
    if (first === undefined || second === undefined) return
    this.#heap[a] = second
    this.#heap[b] = first
  }
}
