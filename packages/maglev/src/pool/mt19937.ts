const size = 624
const middle = 397

/**
 * The 32-bit Mersenne Twister, as `std::mt19937` of C++. Source: Matsumoto and Nishimura, "Mersenne Twister: a 623-dimensionally
 * equidistributed uniform pseudo-random number generator" (1998), with the initialization of 2002.
 */
export class Mt19937 {
  readonly #state: Uint32Array = new Uint32Array(size)
  #at: number = size

  /** `seed` counts modulo 2^32. */
  constructor(seed: number) {
    const state = this.#state
    state[0] = seed
    for (let i = 1; i < size; i++) {
      const last = state[i - 1] ?? 0
      state[i] = Math.imul(1_812_433_253, last ^ (last >>> 30)) + i
    }
  }

  /** The next number of 0 to 2^32 - 1. */
  next(): number {
    if (this.#at === size) this.#twist()
    let word = this.#state[this.#at++] ?? 0
    word ^= word >>> 11
    word ^= (word << 7) & 0x9d2c5680
    word ^= (word << 15) & 0xefc60000
    return (word ^ (word >>> 18)) >>> 0
  }

  #twist(): void {
    const state = this.#state
    for (let i = 0; i < size; i++) {
      const joined = ((state[i] ?? 0) & 0x80000000) | ((state[(i + 1) % size] ?? 0) & 0x7fffffff)
      const odd = joined & 1 ? 0x9908b0df : 0
      state[i] = (state[(i + middle) % size] ?? 0) ^ (joined >>> 1) ^ odd
    }
    this.#at = 0
  }
}
