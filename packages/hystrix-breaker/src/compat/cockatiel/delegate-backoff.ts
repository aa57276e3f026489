import type { IBackoff, IBackoffFactory } from './backoff.ts'

/** The wait in milliseconds; with a `state`, that is what the next call of the function gets. */
export type DelegateBackoffFn<T, S = void> = (context: T, state?: S) => { delay: number; state: S } | number

/** Waits that a function of the caller gives. */
export class DelegateBackoff<T, S = void> implements IBackoffFactory<T> {
  readonly #delay: DelegateBackoffFn<T, S>

  constructor(fn: DelegateBackoffFn<T, S>) {
    this.#delay = fn
  }

  next(context: T): IBackoff<T> {
    return this.#after(context, undefined)
  }

  #after(context: T, state: S | undefined): IBackoff<T> {
    const answer = this.#delay(context, state)
    const { delay, state: left } = typeof answer === 'number' ? { delay: answer, state } : answer
    return { duration: delay, next: (following) => this.#after(following, left) }
  }
}
