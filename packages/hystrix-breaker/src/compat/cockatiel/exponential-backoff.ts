import type { IBackoff, IBackoffFactory } from './backoff.ts'
import { decorrelatedJitterGenerator, type GeneratorFn } from './exponential-generators.ts'

export interface IExponentialBackoffOptions<S> {
  /** Default: {@link decorrelatedJitterGenerator}. */
  generator: GeneratorFn<S>
  /** Longest wait in milliseconds. Default 30,000. */
  maxDelay: number
  /** By what the wait grows each time. Default 2. */
  exponent: number
  /** First wait in milliseconds. Default 128. */
  initialDelay: number
}

/** Waits that grow by a factor. */
export class ExponentialBackoff<S> implements IBackoffFactory<unknown> {
  readonly #first: () => IBackoff<unknown>

  constructor(options: Partial<IExponentialBackoffOptions<S>> = {}) {
    const { generator, ...numbers } = options
    const limits = { maxDelay: 30_000, exponent: 2, initialDelay: 128, ...numbers }
    this.#first =
      generator === undefined
        ? () => after({ ...limits, generator: decorrelatedJitterGenerator }, undefined)
        : () => after({ ...limits, generator }, undefined)
  }

  next(): IBackoff<unknown> {
    return this.#first()
  }
}

function after<S>(options: IExponentialBackoffOptions<S>, state: S | undefined): IBackoff<unknown> {
  const [duration, left] = options.generator(state, options)
  return { duration, next: () => after(options, left) }
}
