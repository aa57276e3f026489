import { checkInteger, checkNames, checkNumber, checkShare } from '../option-checks.ts'
import type { ConcurrencyLimit, LimitSample } from './limit.ts'
import { checkLimits, checkSample, limitMax } from './limit-checks.ts'

/** The builder names of Gradient2Limit. */
export interface Gradient2Options {
  /** Default 20. */
  readonly initialLimit?: number
  /** Default 20, also where `maxConcurrency` is less: then that is the limit, as in the original. */
  readonly minLimit?: number
  /** Default 200. */
  readonly maxConcurrency?: number
  /** How much of a new limit is taken at once, above 0 and up to 1; default 0.2. */
  readonly smoothing?: number
  /** Calls that may wait; default 4. */
  readonly queueSize?: number
  /** Samples of the long average; default 600. */
  readonly longWindow?: number
  /** How much slower than the long average is no reason to shrink, at least 1; default 1.5. */
  readonly rttTolerance?: number
}

const warmUp = 10
// The original counts in them: the same sums give the same roundings.
const nanoseconds = 1e6

/**
 * Follows the ratio of the long average round trip to the last one. Gradient2Limit of Netflix concurrency-limits 0.5.3,
 * step for step.
 */
export class Gradient2Limit implements ConcurrencyLimit {
  #estimate: number
  // The long average: a mean at first, then exponential.
  #long = 0
  #samples = 0
  #sum = 0
  readonly #options: Required<Gradient2Options>

  /** @throws InvalidOptionError naming the option. */
  constructor(options: Gradient2Options = {}) {
    const defaults = {
      initialLimit: 20,
      minLimit: 20,
      maxConcurrency: 200,
      smoothing: 0.2,
      queueSize: 4,
      longWindow: 600,
      rttTolerance: 1.5,
    }
    checkNames('gradient2', options, Object.keys(defaults))
    const given = { ...defaults, ...options, minLimit: options.minLimit ?? defaults.minLimit }
    checkLimits(options.minLimit, given.maxConcurrency, 'maxConcurrency')
    checkShare('smoothing', given.smoothing, 1)
    checkInteger('queueSize', given.queueSize, 0, limitMax)
    checkInteger('longWindow', given.longWindow, 1, limitMax)
    checkNumber('rttTolerance', given.rttTolerance, 1, 1000)
    this.#estimate = checkInteger('initialLimit', given.initialLimit, 1, limitMax)
    this.#options = given
  }

  get limit(): number {
    return Math.trunc(this.#estimate)
  }

  sample({ rtt: milliseconds, inflight }: LimitSample): number {
    checkSample(milliseconds, inflight)
    const rtt = milliseconds * nanoseconds
    const { minLimit, maxConcurrency, smoothing, queueSize, rttTolerance } = this.#options
    const long = this.#average(rtt)
    // Out of a time of heavy load the average comes down faster.
    if (long / rtt > 2) this.#long *= 0.95
    // Too few calls to tell.
    if (inflight < this.#estimate / 2) return this.limit
    const gradient = Math.max(0.5, Math.min(1, (rttTolerance * long) / rtt))
    const wanted = this.#estimate * gradient + queueSize
    const smoothed = this.#estimate * (1 - smoothing) + wanted * smoothing
    this.#estimate = Math.max(minLimit, Math.min(maxConcurrency, smoothed))
    return this.limit
  }

  #average(rtt: number): number {
    if (this.#samples < warmUp) {
      this.#samples++
      this.#sum += rtt
      this.#long = this.#sum / this.#samples
    } else {
      const factor = 2 / (this.#options.longWindow + 1)
      this.#long = this.#long * (1 - factor) + rtt * factor
    }
    return this.#long
  }
}
