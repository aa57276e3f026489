import { checkFunction } from '../option-checks.ts'
import {
  type KeyedBreakerOptions,
  KeyedBreakers,
  type KeyedOptions,
  keyedOptionNames,
} from './keyed-breakers.ts'

/** What the adapters for HTTP have in common. */
export interface HttpBreakerOptions extends KeyedOptions {
  /** Statuses of answers that count as failed. Default: 500 and above. */
  readonly isFailureStatus?: (status: number) => boolean
}

export const httpOptionNames: readonly string[] = [...keyedOptionNames, 'isFailureStatus']

/** An answer that counted as failed because of its status. Its receiver has the answer; this is for events. */
export class FailureStatusError extends Error {
  override readonly name: string = 'FailureStatusError'
  readonly status: number

  constructor(key: string, status: number) {
    super(`${key} answered ${status}`)
    this.status = status
  }
}

export class HttpBreakers extends KeyedBreakers {
  readonly #isFailureStatus: (status: number) => boolean

  /** @throws InvalidOptionError naming the option. */
  constructor(
    { isFailureStatus = (status) => status >= 500, ...keyed }: HttpBreakerOptions,
    defaults: KeyedBreakerOptions = {},
  ) {
    super(keyed, defaults)
    this.#isFailureStatus = checkFunction('isFailureStatus', isFailureStatus)
  }

  /** What an answer of that status counts as: a failure, or undefined for a success. */
  failureOf(key: string, status: number): unknown {
    try {
      return this.#isFailureStatus(status) ? new FailureStatusError(key, status) : undefined
    } catch (thrown) {
      return thrown ?? new FailureStatusError(key, status)
    }
  }
}
