import { checkInteger, checkNames, checkRandom, checkShare } from '../option-checks.ts'
import type { Random } from '../ports.ts'
import { realRandom } from '../ports.ts'
import type { ConcurrencyLimit, LimitSample } from './limit.ts'
import { checkSample, limitMax } from './limit-checks.ts'

/** The builder names of VegasLimit. */
export interface VegasOptions {
  /** Default 20. */
  readonly initialLimit?: number
  /** Default 1000. */
  readonly maxConcurrency?: number
  /** How much of a new limit is taken at once, above 0 and up to 1; default 1. */
  readonly smoothing?: number
  /** How many times the limit are the samples between two looks at the round trip without load; default 30. */
  readonly probeMultiplier?: number
}

/**
 * Estimates the queue from the round trip without load and the last one, and keeps it between 3 and 6 times log10 of
 * the limit. VegasLimit of Netflix concurrency-limits 0.5.3, step for step; after Brakmo et al., TCP Vegas, 1994.
 */
export class VegasLimit implements ConcurrencyLimit {
  #estimate: number
  #unloaded = 0
  #sinceProbe = 0
  #jitter: number
  readonly #random: Random
  readonly #max: number
  readonly #smoothing: number
  readonly #multiplier: number

  /** @throws InvalidOptionError naming the option. */
  constructor(options: VegasOptions = {}, random: Random = realRandom) {
    checkNames('vegas', options, ['initialLimit', 'maxConcurrency', 'smoothing', 'probeMultiplier'])
    const { initialLimit = 20, maxConcurrency = 1000, smoothing = 1, probeMultiplier = 30 } = options
    this.#estimate = checkInteger('initialLimit', initialLimit, 1, limitMax)
    this.#max = checkInteger('maxConcurrency', maxConcurrency, 1, limitMax)
    this.#smoothing = checkShare('smoothing', smoothing, 1)
    this.#multiplier = checkInteger('probeMultiplier', probeMultiplier, 1, limitMax)
    this.#random = checkRandom(random)
    this.#jitter = this.#nextJitter()
  }

  get limit(): number {
    return Math.trunc(this.#estimate)
  }

  sample({ rtt, inflight, dropped }: LimitSample): number {
    checkSample(rtt, inflight)
    this.#sinceProbe++
    if (this.#jitter * this.#multiplier * this.#estimate <= this.#sinceProbe) {
      this.#jitter = this.#nextJitter()
      this.#sinceProbe = 0
      this.#unloaded = rtt
    } else if (this.#unloaded === 0 || rtt < this.#unloaded) this.#unloaded = rtt
    else {
      const wanted = this.#wanted(rtt, inflight, dropped)
      const clamped = Math.max(1, Math.min(this.#max, wanted))
      if (wanted !== this.#estimate)
        this.#estimate = (1 - this.#smoothing) * this.#estimate + this.#smoothing * clamped
    }
    return this.limit
  }

  #wanted(rtt: number, inflight: number, dropped: boolean): number {
    const estimate = this.#estimate
    const step = log10(estimate)
    if (dropped) return estimate - step
    if (inflight * 2 < estimate) return estimate
    const queue = Math.ceil(estimate * (1 - this.#unloaded / rtt))
    if (queue <= step) return estimate + 6 * step
    if (queue < 3 * step) return estimate + step
    return queue > 6 * step ? estimate - step : estimate
  }

  #nextJitter(): number {
    return 0.5 + this.#random.next() / 2
  }
}

function log10(limit: number): number {
  return Math.max(1, Math.trunc(Math.log10(Math.trunc(limit))))
}
