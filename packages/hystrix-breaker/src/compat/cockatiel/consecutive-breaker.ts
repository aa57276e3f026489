import { checkNumber } from '../../option-checks.ts'
import type { IBreaker } from './breaker.ts'

/** Opens after `threshold` failures in a row. */
export class ConsecutiveBreaker implements IBreaker {
  /** Failures in a row. */
  state = 0
  readonly #threshold: number

  /** @throws InvalidOptionError */
  constructor(threshold: number) {
    this.#threshold = checkNumber('threshold', threshold, 0, Infinity)
  }

  success(): void {
    this.state = 0
  }

  failure(): boolean {
    return ++this.state >= this.#threshold
  }
}
