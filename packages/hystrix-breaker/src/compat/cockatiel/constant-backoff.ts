import type { IBackoff, IBackoffFactory } from './backoff.ts'

/** The same wait each time. */
export class ConstantBackoff implements IBackoffFactory<unknown> {
  readonly #backoff: IBackoff<unknown>

  /** `interval` in milliseconds. */
  constructor(interval: number) {
    const backoff: IBackoff<unknown> = { duration: interval, next: () => backoff }
    this.#backoff = backoff
  }

  next(): IBackoff<unknown> {
    return this.#backoff
  }
}
