import { type Duration, parsePositiveDuration } from '../duration.ts'
import type { IdempotencyStore } from '../store/store.ts'
import { parseCount } from './count.ts'
import type { Task } from './loop.ts'

/** Options of a worker's `reap`. */
export interface ReaperOptions {
  /** Between two rounds. Default: `60s`. */
  readonly every?: Duration
  /** Records deleted in one step. Default: 1,000. */
  readonly batch?: number
}

/** Deletes answers that have expired; what is claimed or uncertain never does. */
export class Reaper implements Task {
  readonly every: number
  readonly #batch: number
  readonly #store: IdempotencyStore

  constructor(
    { store }: { readonly store: IdempotencyStore },
    { every = '60s', batch = 1000 }: ReaperOptions,
  ) {
    this.every = parsePositiveDuration('every', every)
    this.#batch = parseCount('batch', batch)
    this.#store = store
  }

  async round(): Promise<boolean> {
    return (await this.#store.reap(this.#batch)) >= this.#batch
  }
}
