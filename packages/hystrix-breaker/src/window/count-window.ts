import { type Counts, noCounts, type OutcomeWindow } from './window.ts'

const failedBit = 1
const slowBit = 2

/** The last `size` outcomes. */
export class CountWindow implements OutcomeWindow {
  readonly #size: number
  #ring: Uint8Array | undefined
  #next = 0
  readonly #sums: { total: number; failures: number; slow: number } = { ...noCounts }

  constructor(size: number) {
    this.#size = size
  }

  record(_now: number, failed: boolean, slow: boolean): Counts {
    const ring = (this.#ring ??= new Uint8Array(this.#size))
    const sums = this.#sums
    if (sums.total === this.#size) {
      const oldest = ring[this.#next] ?? 0
      sums.failures -= oldest & failedBit
      sums.slow -= (oldest & slowBit) >> 1
    } else sums.total++
    const bits = (failed ? failedBit : 0) | (slow ? slowBit : 0)
    ring[this.#next] = bits
    sums.failures += bits & failedBit
    sums.slow += (bits & slowBit) >> 1
    this.#next = this.#next + 1 === this.#size ? 0 : this.#next + 1
    return sums
  }

  counts(_now: number): Counts {
    return { ...this.#sums }
  }

  clear(): void {
    this.#next = 0
    Object.assign(this.#sums, noCounts)
  }

  // Outcomes from the oldest to the newest.
  save(_now: number): readonly number[] {
    const first = this.#sums.total === this.#size ? this.#next : 0
    return Array.from({ length: this.#sums.total }, (_, at) => this.#ring?.[(first + at) % this.#size] ?? 0)
  }

  load(saved: readonly number[], now: number): boolean {
    if (saved.length > this.#size || saved.some((bits) => bits > (failedBit | slowBit))) return false
    this.clear()
    for (const bits of saved) this.record(now, (bits & failedBit) !== 0, (bits & slowBit) !== 0)
    return true
  }
}
