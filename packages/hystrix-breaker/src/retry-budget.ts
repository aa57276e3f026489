import { checkDuration, checkNames, checkNumber, type Duration } from './option-checks.ts'
import { RecentSum } from './recent-sum.ts'

export interface RetryBudgetOptions {
  /** How long deposits and withdrawals count. Default 10 s. */
  readonly ttl?: Duration
  /** Retries for each second that are there without deposits. Default 10. */
  readonly min?: number
  /** Retries for each deposit, 0 to 1000. Default 0.2. */
  readonly ratio?: number
}

// The ratio in whole numbers, as Finagle has it.
const deposit = 1000

/**
 * So many retries for so many calls: each call deposits, each retry withdraws. A deposit is 1000, a withdrawal
 * `floor(1000 / ratio)`, and a reserve of `min * ttl` withdrawals is always there. Finagle's RetryBudget; here what
 * counts leaves exactly after `ttl`, not in tenths of it.
 */
export class RetryBudget {
  readonly #balance: RecentSum
  readonly #deposit: number
  readonly #cost: number
  readonly #reserve: number
  readonly #never: boolean

  /** @throws InvalidOptionError naming the option. */
  constructor(options: RetryBudgetOptions = {}) {
    checkNames('retry budget', options, ['ttl', 'min', 'ratio'])
    const ttl = checkDuration('ttl', options.ttl ?? 10_000)
    const min = checkNumber('min', options.min ?? 10, 0, 1e6)
    const ratio = checkNumber('ratio', options.ratio ?? 0.2, 0, deposit)
    this.#balance = new RecentSum(ttl)
    this.#deposit = ratio === 0 ? 0 : deposit
    this.#cost = ratio === 0 ? 1 : Math.floor(deposit / ratio)
    this.#reserve = ((min * ttl) / 1000) * this.#cost
    this.#never = min === 0 && ratio === 0
  }

  /** A call was made at monotonic `now`, in milliseconds. */
  deposit(now: number): void {
    this.#balance.add(now, this.#deposit)
  }

  /** Whether there may be a retry; where so, it is paid. */
  withdraw(now: number): boolean {
    if (this.#never || this.balance(now) < this.#cost) return false
    this.#balance.add(now, -this.#cost)
    return true
  }

  /** What is left, of which a retry costs `floor(1000 / ratio)`. */
  balance(now: number): number {
    return this.#balance.at(now) + this.#reserve
  }
}
