import { Slices } from './slices.ts'
import { type Counts, noCounts, type OutcomeWindow } from './window.ts'

const fields = 3

/**
 * The last `size` milliseconds in `buckets` slices. A slice begins at a multiple of its width, and the oldest leaves as
 * a whole, so that an outcome counts for more than `size - size / buckets` and at most `size` milliseconds.
 */
export class TimeWindow implements OutcomeWindow {
  readonly #slices: Slices
  // total, failures, slow of each slice
  readonly #ring: Uint32Array
  readonly #sums: { total: number; failures: number; slow: number } = { ...noCounts }

  constructor(size: number, buckets: number) {
    this.#slices = new Slices(size, buckets)
    this.#ring = new Uint32Array(buckets * fields)
  }

  record(now: number, failed: boolean, slow: boolean): Counts {
    const ring = this.#ring
    const sums = this.#sums
    if (this.#slices.isOver(now)) this.#advance(now)
    const at = this.#slices.place * fields
    ring[at] = (ring[at] ?? 0) + 1
    sums.total++
    if (failed) {
      ring[at + 1] = (ring[at + 1] ?? 0) + 1
      sums.failures++
    }
    if (slow) {
      ring[at + 2] = (ring[at + 2] ?? 0) + 1
      sums.slow++
    }
    return sums
  }

  counts(now: number): Counts {
    this.#advance(now)
    return { ...this.#sums }
  }

  clear(): void {
    this.#ring.fill(0)
    Object.assign(this.#sums, noCounts)
  }

  // Slices from the newest to the oldest.
  save(now: number): readonly number[] {
    this.#advance(now)
    return Array.from({ length: this.#slices.count }, (_, age) => this.#slices.before(age) * fields).flatMap(
      (at) => [...this.#ring.subarray(at, at + fields)],
    )
  }

  load(saved: readonly number[], now: number): boolean {
    const { count } = this.#slices
    if (saved.length !== 0 && saved.length !== count * fields) return false
    for (let at = 0; at < saved.length; at += fields) {
      const total = saved[at] ?? 0
      if ((saved[at + 1] ?? 0) > total || (saved[at + 2] ?? 0) > total) return false
    }
    this.clear()
    if (saved.length === 0) return true
    this.#advance(now)
    for (let age = 0; age < count; age++) {
      const slice = saved.slice(age * fields, (age + 1) * fields)
      this.#ring.set(slice, this.#slices.before(age) * fields)
      this.#sums.total += slice[0] ?? 0
      this.#sums.failures += slice[1] ?? 0
      this.#sums.slow += slice[2] ?? 0
    }
    return true
  }

  #advance(now: number): void {
    this.#slices.advance(now, (place) => {
      const at = place * fields
      this.#sums.total -= this.#ring[at] ?? 0
      this.#sums.failures -= this.#ring[at + 1] ?? 0
      this.#sums.slow -= this.#ring[at + 2] ?? 0
      this.#ring.fill(0, at, at + fields)
    })
  }
}
