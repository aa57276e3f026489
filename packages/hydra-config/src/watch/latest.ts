/** A value that is replaced now and then. Who follows it sees the newest, and may miss some between. */
export class Latest<T> {
  readonly #first: T
  #value: T
  #ended = false
  readonly #wakes = new Set<() => void>()
  readonly #onWaiting: (anyone: boolean) => void

  /** @param onWaiting is told when the first one begins to wait, and when nobody does any more */
  constructor(first: T, onWaiting: (anyone: boolean) => void = () => {}) {
    this.#first = first
    this.#value = first
    this.#onWaiting = onWaiting
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    this.#value = value
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  /** Each value that differs from the one seen before it, beginning with the first. */
  async *follow(): AsyncGenerator<{ readonly value: T; readonly previous: T }, void> {
    let previous = this.#first
    while (!this.#ended) {
      if (this.#value === previous) {
        await this.#change()
        continue
      }
      const value = this.#value
      yield { value, previous }
      previous = value
    }
  }

  async #change(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wakes.add(resolve)
    if (this.#wakes.size === 1) this.#onWaiting(true)
    await promise
  }

  #wake(): void {
    for (const wake of this.#wakes) wake()
    this.#wakes.clear()
    this.#onWaiting(false)
  }
}
