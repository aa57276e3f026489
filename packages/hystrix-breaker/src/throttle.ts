import { checkDuration, checkNames, checkNumber, type Duration } from './option-checks.ts'
import { RecentSum } from './recent-sum.ts'

export interface ThrottleOptions {
  /** How many requests for each accepted one are let through; at least 1. Default 2. */
  readonly k?: number
  /** Default 2 min. */
  readonly window?: Duration
}

/**
 * Client-side throttling: refuse a request with probability `max(0, (requests - k * accepts) / (requests + 1))`, over
 * the last `window`. Count the request before it is sent, refused or not. Beyer et al., Site Reliability Engineering,
 * 2016, chapter 21, Handling Overload.
 */
export class Throttle {
  readonly #k: number
  readonly #requests: RecentSum
  readonly #accepts: RecentSum

  /** @throws InvalidOptionError naming the option. */
  constructor(options: ThrottleOptions = {}) {
    checkNames('throttle', options, ['k', 'window'])
    this.#k = checkNumber('k', options.k ?? 2, 1, 1e6)
    const window = checkDuration('window', options.window ?? 120_000)
    this.#requests = new RecentSum(window)
    this.#accepts = new RecentSum(window)
  }

  /** A request is tried at monotonic `now`, in milliseconds. */
  request(now: number): void {
    this.#requests.add(now, 1)
  }

  /** The backend took one. */
  accept(now: number): void {
    this.#accepts.add(now, 1)
  }

  /** The probability, 0 up to 1, with which a request at `now` is to be refused. */
  rejection(now: number): number {
    const requests = this.#requests.at(now)
    return Math.max(0, (requests - this.#k * this.#accepts.at(now)) / (requests + 1))
  }
}
