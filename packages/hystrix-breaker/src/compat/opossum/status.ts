import { EventEmitter } from 'node:events'
import { InvalidOptionError, shown } from '../../errors.ts'
import { type Cancel, clock, every } from './timers.ts'

const counterNames = [
  'failures',
  'fallbacks',
  'successes',
  'rejects',
  'fires',
  'timeouts',
  'cacheHits',
  'cacheMisses',
  'coalesceCacheHits',
  'coalesceCacheMisses',
  'semaphoreRejections',
] as const

export type Counter = (typeof counterNames)[number]

/** One slice of the rolling window. */
export interface Bucket extends Record<Counter, number> {
  percentiles: Record<number, number>
  /** Milliseconds of calls that succeeded, failed or timed out, in the order of their ends. */
  latencyTimes: number[]
  /** Present where the circuit opened or closed in this slice. */
  isCircuitBreakerOpen?: boolean
}

/** The sums of a window. Percentiles by share (0, 0.25, … 1) and the mean are milliseconds, -1 where they are switched off. */
export interface Stats extends Bucket {
  latencyMean: number
}

export interface StatusOptions {
  /** Default 10. */
  rollingCountBuckets?: number | undefined
  /** Milliseconds. Default 10,000. */
  rollingCountTimeout?: number | undefined
  /** Default true. */
  rollingPercentilesEnabled?: boolean | undefined
  /** Default true. */
  enableSnapshots?: boolean | undefined
  /** Its event `rotate` begins a slice, in place of time. */
  rotateBucketController?: EventEmitter | undefined
  /** To begin with, such as `stats` of another breaker. */
  stats?: Partial<Stats> | undefined
}

const shares = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 1]

/**
 * What a breaker counted in its rolling window. Slices turn when they are looked at, so that an idle one has no timer;
 * `snapshot` is emitted once a slice while somebody listens.
 */
export class Status extends EventEmitter<{ snapshot: [stats: Stats] }> {
  readonly rollingPercentilesEnabled: boolean
  readonly enableSnapshots: boolean
  readonly rotateBucketController: EventEmitter | undefined
  readonly #buckets: Bucket[]
  readonly #width: number
  #sliceStart: number = clock.monotonic()
  #stopSnapshots: Cancel | undefined
  #isShutdown = false

  /** @throws InvalidOptionError naming the number in `stats` that is none. */
  constructor(options: StatusOptions = {}) {
    super()
    // As opossum reads them: 0 is not given.
    const count = options.rollingCountBuckets || 10
    this.#width = Math.max(1, Math.floor((options.rollingCountTimeout || 10_000) / count))
    this.#buckets = Array.from({ length: count }, emptyBucket)
    if (options.stats) this.#buckets[0] = readBucket(options.stats)
    this.rollingPercentilesEnabled = options.rollingPercentilesEnabled !== false
    this.enableSnapshots = options.enableSnapshots !== false
    this.rotateBucketController = options.rotateBucketController
    this.startListeneningForRotateEvent()
    this.#followSnapshots()
  }

  get stats(): Stats {
    const sums = emptyBucket()
    for (const bucket of this.window) {
      for (const name of counterNames) sums[name] += bucket[name]
      for (const time of bucket.latencyTimes) sums.latencyTimes.push(time)
    }
    const times = sums.latencyTimes.toSorted((a, b) => a - b)
    const ofTimes = (value: () => number): number => (this.rollingPercentilesEnabled ? value() : -1)
    const total = times.reduce((sum, time) => sum + time, 0)
    return {
      ...sums,
      latencyTimes: times,
      percentiles: Object.fromEntries(shares.map((share) => [share, ofTimes(() => quantile(share, times))])),
      latencyMean: ofTimes(() => (times.length === 0 ? 0 : total / times.length)),
    }
  }

  /** Slices, the newest first. */
  get window(): Bucket[] {
    this.#turn()
    return [...this.#buckets]
  }

  increment(counter: Counter, latency = 0): void {
    const bucket = this.#newest()
    bucket[counter]++
    const timed = counter === 'successes' || counter === 'failures' || counter === 'timeouts'
    if (timed && this.rollingPercentilesEnabled) bucket.latencyTimes.push(latency)
  }

  open(): void {
    this.#newest().isCircuitBreakerOpen = true
  }

  close(): void {
    this.#newest().isCircuitBreakerOpen = false
  }

  shutdown(): void {
    this.#turn()
    this.#isShutdown = true
    this.#stopSnapshots?.()
    super.removeAllListeners()
    this.removeRotateBucketControllerListener()
  }

  override removeAllListeners(name?: string | symbol): this {
    if (name !== undefined) return super.removeAllListeners(name)
    super.removeAllListeners()
    this.#followSnapshots()
    return this
  }

  /** Spelt as opossum spells it. */
  startListeneningForRotateEvent(): void {
    const controller = this.rotateBucketController
    if (controller?.listeners('rotate').includes(this.#rotate) === false)
      controller.on('rotate', this.#rotate)
  }

  removeRotateBucketControllerListener(): void {
    this.rotateBucketController?.removeListener('rotate', this.#rotate)
  }

  #newest(): Bucket {
    this.#turn()
    const [bucket] = this.#buckets
    if (bucket === undefined) throw new Error('a window has at least one slice')
    return bucket
  }

  readonly #rotate = (): void => {
    this.#buckets.pop()
    this.#buckets.unshift(emptyBucket())
  }

  #turn(): void {
    if (this.rotateBucketController !== undefined || this.#isShutdown) return
    const slices = Math.floor((clock.monotonic() - this.#sliceStart) / this.#width)
    if (slices <= 0) return
    for (let slice = 0; slice < Math.min(slices, this.#buckets.length); slice++) this.#rotate()
    this.#sliceStart += slices * this.#width
  }

  #followSnapshots(): void {
    this.#stopSnapshots?.()
    this.#stopSnapshots = undefined
    if (!this.enableSnapshots) return
    super.on('newListener', (name) => {
      if (name !== 'snapshot' || this.#stopSnapshots !== undefined) return
      this.#stopSnapshots = every(this.#width, () => {
        if (this.listenerCount('snapshot') > 0) this.emit('snapshot', this.stats)
        else {
          this.#stopSnapshots?.()
          this.#stopSnapshots = undefined
        }
      })
    })
  }
}

function emptyBucket(): Bucket {
  return {
    failures: 0,
    fallbacks: 0,
    successes: 0,
    rejects: 0,
    fires: 0,
    timeouts: 0,
    cacheHits: 0,
    cacheMisses: 0,
    coalesceCacheHits: 0,
    coalesceCacheMisses: 0,
    semaphoreRejections: 0,
    percentiles: {},
    latencyTimes: [],
  }
}

function readBucket(stats: Partial<Stats>): Bucket {
  const bucket = emptyBucket()
  for (const name of counterNames) bucket[name] = checkCount(`stats.${name}`, stats[name] ?? 0)
  for (const time of stats.latencyTimes ?? [])
    bucket.latencyTimes.push(checkCount('stats.latencyTimes', time))
  return bucket
}

function checkCount(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value < Infinity) return value
  throw new InvalidOptionError(`${name} must be a finite number, 0 or more, not ${shown(value)}`)
}

// Nearest rank, as opossum has it.
function quantile(share: number, sorted: readonly number[]): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
}
