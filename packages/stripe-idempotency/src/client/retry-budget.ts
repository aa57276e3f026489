/** How many retries there may be in relation to calls, so that a server in trouble is not kept there. */
export interface RetryBudgetOptions {
  /** Retries for each call. Default: 0.2. */
  readonly ratio?: number
  /** Retries that may be made at once. Default: 10. */
  readonly burst?: number
}

/** Calls pay in, retries draw out. */
export class RetryBudget {
  readonly #ratio: number
  readonly #burst: number
  #left: number

  constructor({ ratio, burst }: Required<RetryBudgetOptions>) {
    this.#ratio = ratio
    this.#burst = burst
    this.#left = burst
  }

  called(): void {
    this.#left = Math.min(this.#burst, this.#left + this.#ratio)
  }

  /** Whether a retry may be made; then it has been counted. */
  draw(): boolean {
    // Sums of fractions fall short by less than this.
    if (this.#left < 1 - 1e-9) return false
    this.#left -= 1
    return true
  }
}
