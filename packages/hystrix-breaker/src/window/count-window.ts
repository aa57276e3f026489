import { type Counts, noCounts, type OutcomeWindow } from './window.ts'

const failedBit = 1
const slowBit = 2

/** The last `size` outcomes. */
export class CountWindow implements OutcomeWindow {
  readonly #size: number
  #ring: Uint8Array | undefined
  #next = 0
  #total = 0
  #failures = 0
  #slow = 0

  constructor(size: number) {
    this.#size = size
  }

  record(_now: number, failed: boolean, slow: boolean): void {
    const ring = (this.#ring ??= new Uint8Array(this.#size))
    if (this.#total === this.#size) {
      const oldest = ring[this.#next] ?? 0
      this.#failures -= oldest & failedBit
      this.#slow -= (oldest & slowBit) >> 1
    } else this.#total++
    const bits = (failed ? failedBit : 0) | (slow ? slowBit : 0)
    ring[this.#next] = bits
    this.#failures += bits & failedBit
    this.#slow += (bits & slowBit) >> 1
    this.#next = this.#next + 1 === this.#size ? 0 : this.#next + 1
  }

  counts(_now: number): Counts {
    if (this.#total === 0) return noCounts
    return { total: this.#total, failures: this.#failures, slow: this.#slow }
  }

  clear(): void {
    this.#next = this.#total = this.#failures = this.#slow = 0
  }

  // Outcomes from the oldest to the newest.
  save(_now: number): readonly number[] {
    const first = this.#total === this.#size ? this.#next : 0
    return Array.from({ length: this.#total }, (_, at) => this.#ring?.[(first + at) % this.#size] ?? 0)
  }

  load(saved: readonly number[], now: number): boolean {
    if (saved.length > this.#size || saved.some((bits) => bits > (failedBit | slowBit))) return false
    this.clear()
    for (const bits of saved) this.record(now, (bits & failedBit) !== 0, (bits & slowBit) !== 0)
    return true
  }
}
