import { type Duration, parsePositiveDuration } from '../duration.ts'
import { IdempotencyError } from '../errors.ts'
import type { Sealer } from '../seal.ts'
import { parseCount } from './count.ts'
import { read } from './journal.ts'
import type { Task } from './loop.ts'
import { type Job, jobPlace, type Outbox } from './outbox.ts'

/** Options of a worker's `drain`. */
export interface DrainerOptions {
  /** Hands jobs over to whoever does them; they are gone from the outbox once it has resolved. */
  readonly deliver: (jobs: readonly Job[]) => Promise<void>
  /** Between two rounds that find nothing. Default: `5s`. */
  readonly every?: Duration
  /** Jobs handed over at once. Default: 1,000. */
  readonly batch?: number
}

/** Delivers the jobs that were staged. */
export class Drainer implements Task {
  readonly every: number
  readonly #batch: number
  readonly #deliver: DrainerOptions['deliver']
  readonly #outbox: Outbox<unknown>
  readonly #sealer: Sealer

  constructor(
    { outbox, sealer }: { readonly outbox: Outbox<unknown> | undefined; readonly sealer: Sealer },
    { deliver, every = '5s', batch = 1000 }: DrainerOptions,
  ) {
    if (outbox === undefined) {
      throw new IdempotencyError('invalid_option', 'there is no outbox to drain; give createIdempotency one')
    }
    this.every = parsePositiveDuration('every', every)
    this.#batch = parseCount('batch', batch)
    this.#deliver = deliver
    this.#outbox = outbox
    this.#sealer = sealer
  }

  async round(): Promise<boolean> {
    const delivered = await this.#outbox.drain(this.#batch, (jobs) =>
      this.#deliver(
        jobs.map(({ id, name, payload }) => ({
          id,
          name,
          payload: read(this.#sealer.open(payload, jobPlace(id))),
        })),
      ),
    )
    return delivered > 0
  }
}
