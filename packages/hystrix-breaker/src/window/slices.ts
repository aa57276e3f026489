/** Slices of time in a ring, a slice of index n in place n % count. A slice begins at a multiple of its width. */
export class Slices {
  readonly count: number
  /** Where the slice of now is. */
  place = 0
  readonly #width: number
  #index = -Infinity
  #ends = -Infinity

  constructor(size: number, count: number) {
    this.#width = size / count
    this.count = count
  }

  /** Goes on to `now`; `clear` is called for each place whose slice is over. A time before the latest is the latest. */
  advance(now: number, clear: (place: number) => void): void {
    if (now < this.#ends) return
    const index = Math.floor(now / this.#width)
    const over = Math.min(index - this.#index, this.count)
    for (let back = 0; back < over; back++) clear(this.#placeOf(index - back))
    this.#index = index
    this.#ends = (index + 1) * this.#width
    this.place = this.#placeOf(index)
  }

  #placeOf(index: number): number {
    return ((index % this.count) + this.count) % this.count
  }
}
