import type { Clock } from '../ports.ts'
import { Slices } from '../window/slices.ts'

/** Sizes of batches, of a time. */
export interface BatchSizes {
  /** 0 without batches. */
  readonly mean: number
  /** The size that `percent` (0 to 100) of the batches did not exceed; 0 without batches. */
  percentile(percent: number): number
}

interface Slice {
  fromCache: number
  /** Batches by their size. */
  readonly sizes: Map<number, number>
}

const windowSize = 10_000
const sliceCount = 10

/** What a collapser did in the last ten seconds: what Hystrix streams as HystrixCollapser. */
export class CollapserMetrics {
  readonly name: string
  /** `window` in milliseconds. */
  readonly settings: { readonly max: number; readonly window: number; readonly cache: boolean }
  readonly #clock: Clock
  readonly #slices = new Slices(windowSize, sliceCount)
  readonly #ring: Slice[] = Array.from({ length: sliceCount }, () => ({ fromCache: 0, sizes: new Map() }))

  /** @internal */
  constructor(name: string, settings: CollapserMetrics['settings'], clock: Clock) {
    this.name = name
    this.settings = settings
    this.#clock = clock
  }

  /** `requests` that were loaded in so many `batches`, and those that had the answer of another one. */
  rolling(): { readonly requests: number; readonly batches: number; readonly fromCache: number } {
    this.#advance()
    let fromCache = 0
    for (const slice of this.#ring) fromCache += slice.fromCache
    return { ...sumOf(this.#sizes()), fromCache }
  }

  batchSize(): BatchSizes {
    this.#advance()
    const sizes = this.#sizes()
    const { requests, batches } = sumOf(sizes)
    return {
      mean: batches === 0 ? 0 : requests / batches,
      percentile: (percent) => nearestRank(sizes, batches, percent),
    }
  }

  /** @internal */
  batch(size: number): void {
    const { sizes } = this.#current()
    sizes.set(size, (sizes.get(size) ?? 0) + 1)
  }

  /** @internal */
  cached(): void {
    this.#current().fromCache++
  }

  #current(): Slice {
    this.#advance()
    return this.#ring[this.#slices.place] ?? { fromCache: 0, sizes: new Map() }
  }

  #advance(): void {
    this.#slices.advance(this.#clock.monotonic(), (place) => {
      this.#ring[place] = { fromCache: 0, sizes: new Map() }
    })
  }

  // In ascending order.
  #sizes(): readonly (readonly [size: number, batches: number])[] {
    const sizes = new Map<number, number>()
    for (const slice of this.#ring)
      for (const [size, batches] of slice.sizes) sizes.set(size, (sizes.get(size) ?? 0) + batches)
    return [...sizes].toSorted(([a], [b]) => a - b)
  }
}

function sumOf(sizes: readonly (readonly [number, number])[]): { requests: number; batches: number } {
  let requests = 0
  let batches = 0
  for (const [size, count] of sizes) {
    requests += size * count
    batches += count
  }
  return { requests, batches }
}

function nearestRank(sizes: readonly (readonly [number, number])[], total: number, percent: number): number {
  const rank = Math.max(1, Math.ceil((Math.min(100, Math.max(0, percent)) / 100) * total))
  let below = 0
  for (const [size, count] of sizes) {
    below += count
    if (below >= rank) return size
  }
  return 0
}
