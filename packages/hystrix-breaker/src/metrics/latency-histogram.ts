import { Slices } from '../window/slices.ts'

/** How long calls took, in milliseconds. */
export interface LatencySummary {
  readonly count: number
  /** Exact; 0 without calls. */
  readonly mean: number
  /** The value that `percent` (0 to 100) of the calls did not exceed, within 2 %; 0 without calls. */
  percentile(percent: number): number
}

// A power of two of microseconds is cut into so many buckets, each at most 1/32 of its values wide.
const steps = 32
const stepBits = 5
const longest = 2 ** 31 - 1 // µs

/**
 * A rolling log-linear histogram of durations from 1 µs to 35 minutes, `size` milliseconds in `slices`. The middle of a
 * bucket stands for its values, and is at most 1/64 away from them. Buffers come with the powers of two that occur.
 */
export class LatencyHistogram {
  readonly #size: number
  readonly #slices: Slices
  // octaves[0] counts what is below `steps` µs, octaves[n] from steps * 2^(n-1) µs to twice that; `steps` for each slice.
  readonly #octaves: (Uint32Array | undefined)[] = []
  // Of each slice: its calls, and the sum of their durations.
  readonly #sums: Float64Array

  constructor(size: number, slices: number) {
    this.#size = size
    this.#slices = new Slices(size, slices)
    this.#sums = new Float64Array(slices)
  }

  /** A call that ended at monotonic `now` took `duration` milliseconds; what is no such number is 0. */
  record(now: number, duration: number): void {
    const slices = this.#slices
    if (slices.isOver(now)) this.#advance(now)
    const { place } = slices
    const ms = duration > 0 ? Math.min(duration, longest) : 0
    const micros = Math.min(ms * 1000, longest) | 0
    const octave = micros < steps ? 0 : 32 - stepBits - Math.clz32(micros)
    const counts = this.#octaves[octave] ?? this.#open(octave)
    const at = place * steps + (octave === 0 ? micros : (micros >> (octave - 1)) - steps)
    counts[at] = (counts[at] ?? 0) + 1
    const sums = this.#sums
    sums[place] = (sums[place] ?? 0) + ms
  }

  /** What it holds at `now`. */
  summary(now: number): LatencySummary {
    this.#advance(now)
    const buckets = this.#merged()
    const count = buckets.reduce((total, each) => total + each.count, 0)
    const sum = this.#sums.reduce((total, each) => total + each, 0)
    return {
      count,
      mean: count === 0 ? 0 : sum / count,
      percentile: (percent) => percentileOf(buckets, count, percent),
    }
  }

  /** Another one that holds the same. */
  copy(now: number): LatencyHistogram {
    const copy = new LatencyHistogram(this.#size, this.#slices.count)
    this.#advance(now)
    copy.#advance(now)
    copy.#sums.set(this.#sums)
    for (const [octave, counts] of this.#octaves.entries()) copy.#octaves[octave] = counts?.slice()
    return copy
  }

  #advance(now: number): void {
    this.#slices.advance(now, (place) => {
      this.#sums[place] = 0
      for (const counts of this.#octaves) counts?.fill(0, place * steps, (place + 1) * steps)
    })
  }

  #open(octave: number): Uint32Array {
    const counts = new Uint32Array(this.#slices.count * steps)
    this.#octaves[octave] = counts
    return counts
  }

  #merged(): readonly { readonly value: number; readonly count: number }[] {
    const buckets: { value: number; count: number }[] = []
    for (const [octave, counts] of this.#octaves.entries()) {
      if (counts === undefined) continue
      for (let step = 0; step < steps; step++) {
        let count = 0
        for (let slice = 0; slice < this.#slices.count; slice++) count += counts[slice * steps + step] ?? 0
        if (count > 0) buckets.push({ value: middle(octave, step), count })
      }
    }
    return buckets
  }
}

// In milliseconds.
function middle(octave: number, step: number): number {
  if (octave === 0) return (step + 0.5) / 1000
  return ((steps + step + 0.5) * 2 ** (octave - 1)) / 1000
}

function percentileOf(
  buckets: readonly { readonly value: number; readonly count: number }[],
  total: number,
  percent: number,
): number {
  const rank = Math.max(1, Math.ceil((Math.min(100, Math.max(0, percent)) / 100) * total))
  let below = 0
  for (const { value, count } of buckets) {
    below += count
    if (below >= rank) return value
  }
  return 0
}
