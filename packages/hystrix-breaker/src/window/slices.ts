/** Which place of a ring a time falls into. The slice of index n is in place n % count, and begins at n * width. */
export class Slices {
  readonly count: number
  /** Of the slice of now. */
  place = 0
  readonly #width: number
  #index = -Infinity
  #ends = -Infinity

  constructor(size: number, count: number) {
    this.#width = size / count
    this.count = count
  }

  /** Whether `now` is beyond the slice of now, and there is something to {@link Slices.advance}. */
  isOver(now: number): boolean {
    return now >= this.#ends
  }

  /** Goes on to `now`; `clear` is called for each place whose slice is over. A time before the latest is the latest. */
  advance(now: number, clear: (place: number) => void): void {
    if (now < this.#ends) return
    const index = Math.floor(now / this.#width)
    const over = Math.min(index - this.#index, this.count)
    this.#index = index
    this.#ends = (index + 1) * this.#width
    this.place = this.before(0)
    for (let age = 0; age < over; age++) clear(this.before(age))
  }

  /** The place of the slice that was `age` slices before that of now. */
  before(age: number): number {
    return (((this.#index - age) % this.count) + this.count) % this.count
  }
}
