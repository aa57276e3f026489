import { InvalidOptionError, shown } from '../errors.ts'
import { checkDuration, checkInteger, checkNames, type Duration } from '../option-checks.ts'
import type { ConcurrencyLimit, LimitSample } from './limit.ts'
import { checkLimits, checkSample, limitMax } from './limit-checks.ts'

/** The builder names of AIMDLimit. */
export interface AimdOptions {
  /** Default 20. */
  readonly initialLimit?: number
  /** Default 20, or `maxLimit` where that is less. */
  readonly minLimit?: number
  /** Default 200. */
  readonly maxLimit?: number
  /** 0.5 up to, not with, 1; default 0.9. */
  readonly backoffRatio?: number
  /** A slower call counts as dropped. Default 5 s. */
  readonly timeout?: Duration
}

/**
 * One more while at least half of the limit is used, a tenth less after a drop. AIMDLimit of Netflix concurrency-limits
 * 0.5.3.
 */
export class AimdLimit implements ConcurrencyLimit {
  #limit: number
  readonly #min: number
  readonly #max: number
  readonly #ratio: number
  readonly #timeout: number

  /** @throws InvalidOptionError naming the option. */
  constructor(options: AimdOptions = {}) {
    checkNames('aimd', options, ['initialLimit', 'minLimit', 'maxLimit', 'backoffRatio', 'timeout'])
    const { initialLimit = 20, minLimit = 20, maxLimit = 200, backoffRatio = 0.9, timeout = 5000 } = options
    checkLimits(options.minLimit, maxLimit, 'maxLimit')
    if (!(backoffRatio >= 0.5 && backoffRatio < 1))
      throw new InvalidOptionError(
        `backoffRatio must be of 0.5 up to, not with, 1, not ${shown(backoffRatio)}`,
      )
    this.#limit = checkInteger('initialLimit', initialLimit, 1, limitMax)
    this.#min = minLimit
    this.#max = maxLimit
    this.#ratio = backoffRatio
    this.#timeout = checkDuration('timeout', timeout)
  }

  get limit(): number {
    return this.#limit
  }

  sample({ rtt, inflight, dropped }: LimitSample): number {
    checkSample(rtt, inflight)
    let next = this.#limit
    if (dropped || rtt > this.#timeout) next = Math.trunc(next * this.#ratio)
    else if (inflight * 2 >= next) next++
    this.#limit = Math.min(this.#max, Math.max(this.#min, next))
    return this.#limit
  }
}
