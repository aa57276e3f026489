import { type Counts, noCounts, type OutcomeWindow } from './window.ts'

const fields = 3

/**
 * The last `size` milliseconds in `buckets` slices. A slice begins at a multiple of its width, and the oldest leaves as
 * a whole, so that an outcome counts for more than `size - size / buckets` and at most `size` milliseconds.
 */
export class TimeWindow implements OutcomeWindow {
  readonly #width: number
  readonly #buckets: number
  // total, failures, slow of each slice; a slice of index n is in place n % buckets
  #ring: Uint32Array | undefined
  #latest = -Infinity
  #total = 0
  #failures = 0
  #slow = 0

  constructor(size: number, buckets: number) {
    this.#width = size / buckets
    this.#buckets = buckets
  }

  record(now: number, failed: boolean, slow: boolean): void {
    const ring = (this.#ring ??= new Uint32Array(this.#buckets * fields))
    this.#roll(now)
    const at = place(this.#latest, this.#buckets)
    ring[at] = (ring[at] ?? 0) + 1
    this.#total++
    if (failed) {
      ring[at + 1] = (ring[at + 1] ?? 0) + 1
      this.#failures++
    }
    if (slow) {
      ring[at + 2] = (ring[at + 2] ?? 0) + 1
      this.#slow++
    }
  }

  counts(now: number): Counts {
    if (this.#ring === undefined) return noCounts
    this.#roll(now)
    return { total: this.#total, failures: this.#failures, slow: this.#slow }
  }

  clear(): void {
    this.#ring?.fill(0)
    this.#latest = -Infinity
    this.#total = this.#failures = this.#slow = 0
  }

  // Slices from the newest to the oldest.
  save(now: number): readonly number[] {
    if (this.#ring === undefined) return []
    this.#roll(now)
    return Array.from({ length: this.#buckets }, (_, age) =>
      place(this.#latest - age, this.#buckets),
    ).flatMap((at) => [...(this.#ring?.subarray(at, at + fields) ?? [])])
  }

  load(saved: readonly number[], now: number): boolean {
    if (saved.length !== 0 && saved.length !== this.#buckets * fields) return false
    for (let at = 0; at < saved.length; at += fields) {
      const total = saved[at] ?? 0
      if ((saved[at + 1] ?? 0) > total || (saved[at + 2] ?? 0) > total) return false
    }
    this.clear()
    if (saved.length === 0) return true
    this.#ring ??= new Uint32Array(this.#buckets * fields)
    this.#latest = Math.floor(now / this.#width)
    for (let age = 0; age < this.#buckets; age++) {
      const slice = saved.slice(age * fields, (age + 1) * fields)
      this.#ring.set(slice, place(this.#latest - age, this.#buckets))
      this.#total += slice[0] ?? 0
      this.#failures += slice[1] ?? 0
      this.#slow += slice[2] ?? 0
    }
    return true
  }

  #roll(now: number): void {
    const index = Math.floor(now / this.#width)
    if (index <= this.#latest || this.#ring === undefined) return
    const steps = Math.min(index - this.#latest, this.#buckets)
    for (let step = 0; step < steps; step++) {
      const at = place(index - step, this.#buckets)
      this.#total -= this.#ring[at] ?? 0
      this.#failures -= this.#ring[at + 1] ?? 0
      this.#slow -= this.#ring[at + 2] ?? 0
      this.#ring.fill(0, at, at + fields)
    }
    this.#latest = index
  }
}

function place(index: number, buckets: number): number {
  return (((index % buckets) + buckets) % buckets) * fields
}
