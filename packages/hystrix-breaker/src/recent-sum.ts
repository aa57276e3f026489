/** A sum of amounts, each of which leaves `window` milliseconds after it came. One entry for each millisecond at most. */
export class RecentSum {
  readonly #window: number
  // Times and amounts in the order of time; those before #first have left.
  #times: number[] = []
  #amounts: number[] = []
  #first = 0
  #sum = 0

  constructor(window: number) {
    this.#window = window
  }

  add(now: number, amount: number): void {
    this.#drop(now)
    const last = this.#times.length - 1
    // What comes within one millisecond leaves with the last of it.
    const at = Math.max(Math.ceil(now), this.#times[last] ?? -Infinity)
    if (last >= this.#first && this.#times[last] === at)
      this.#amounts[last] = (this.#amounts[last] ?? 0) + amount
    else {
      this.#times.push(at)
      this.#amounts.push(amount)
    }
    this.#sum += amount
  }

  at(now: number): number {
    this.#drop(now)
    return this.#sum
  }

  #drop(now: number): void {
    while (this.#first < this.#times.length && now - (this.#times[this.#first] ?? 0) >= this.#window) {
      this.#sum -= this.#amounts[this.#first] ?? 0
      this.#first++
    }
    if (this.#first > 1024 && this.#first * 2 > this.#times.length) {
      this.#times = this.#times.slice(this.#first)
      this.#amounts = this.#amounts.slice(this.#first)
      this.#first = 0
    }
  }
}
