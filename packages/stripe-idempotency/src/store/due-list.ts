const secondMs = 1000
const none: readonly number[] = []

/** Places with a moment each, given back once it has passed: a wheel with a slot for every second that has any. */
export class DueList {
  readonly #slots = new Map<number, number[]>()
  /** The places of slots that were asked for some. */
  readonly #members = new Map<number, Set<number>>()
  /** Every slot before it is empty. */
  #first = Infinity

  /** @param due milliseconds */
  add(place: number, due: number): void {
    const second = Math.floor(due / secondMs)
    const slot = this.#slots.get(second)
    if (this.#members.size > 0) this.#members.get(second)?.add(place)
    if (slot !== undefined) {
      slot.push(place)
      return
    }
    this.#slots.set(second, [place])
    this.#first = Math.min(this.#first, second)
  }

  /** Whether it is there with that second. */
  has(place: number, due: number): boolean {
    const second = Math.floor(due / secondMs)
    const slot = this.#slots.get(second)
    if (slot === undefined) return false
    const members = this.#members.get(second) ?? new Set(slot)
    this.#members.set(second, members)
    return members.has(place)
  }

  /** Takes out at most `limit` places whose second has passed. */
  take(limit: number, now: number): readonly number[] {
    const end = Math.floor(now / secondMs)
    if (this.#first >= end) return none
    const taken: number[] = []
    while (taken.length < limit && this.#first < end && this.#slots.size > 0) {
      const slot = this.#slots.get(this.#first)
      this.#members.delete(this.#first)
      for (const place of slot?.splice(-(limit - taken.length)) ?? none) taken.push(place)
      if (slot !== undefined && slot.length > 0) break
      this.#slots.delete(this.#first)
      this.#first = this.#slots.size === 0 ? Infinity : this.#nextAfter(this.#first, end)
    }
    return taken
  }

  /** The next second that has a slot: most often the very next. */
  #nextAfter(second: number, end: number): number {
    for (let next = second + 1; next < Math.min(end, second + 60); next++)
      if (this.#slots.has(next)) return next
    return this.#slots
      .keys()
      .reduce((first, each) => (each > second ? Math.min(first, each) : first), Infinity)
  }
}
