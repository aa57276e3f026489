import type { Engine } from '../engine.ts'
import { isIdempotencyError, storeUnavailable } from '../errors.ts'
import type { Held } from '../execution.ts'
import type { Performed, Request, Settled } from '../settlement.ts'
import type { TransactionalStore } from '../store/store.ts'
import { settleInTransaction } from '../transaction.ts'

/**
 * As {@link settleInTransaction}, of a handler, which can be called once for a request: where its transaction has to be begun
 * anew, nothing of it was committed, and the client is to ask again.
 *
 * @throws what the handler throws; else IdempotencyError `store_unavailable`
 */
export async function settleHandler<Transaction>(
  engine: Engine,
  store: TransactionalStore<Transaction>,
  request: Request,
  handle: (execution: Held, transaction: Transaction) => Promise<Performed>,
): Promise<Settled> {
  let first: { readonly recordId: string; readonly answer?: Uint8Array } | undefined
  let thrown: { readonly error: unknown } | undefined
  const limit = new ClaimLimit(engine, request)
  const once = async (execution: Held, transaction: Transaction): Promise<Performed> => {
    limit.ensure()
    if (first !== undefined) {
      throw storeUnavailable('commit a transaction', new Error('it collided, or its connection was lost'))
    }
    first = { recordId: execution.recordId }
    try {
      const performed = await handle(execution, transaction)
      if ('answer' in performed) first = { ...first, answer: performed.answer }
      return performed
    } catch (error) {
      thrown = { error }
      throw error
    }
  }
  try {
    const settled = await limit.of(settleInTransaction(engine, store, request, once))
    // The commit had its effect, and the answer to it was lost.
    return settled.outcome === 'replayed' && settled.recordId === first?.recordId && first.answer
      ? { ...settled, outcome: 'executed', answer: first.answer }
      : settled
  } catch (error) {
    if (thrown?.error === error || isIdempotencyError(error)) throw error
    throw storeUnavailable('commit a transaction', error)
  }
}

/** How long the store may take until the handler begins. */
class ClaimLimit {
  readonly #engine: Engine
  readonly #ms: number
  readonly #over = Promise.withResolvers<never>()
  readonly #timer: unknown
  #late: Error | undefined

  constructor(engine: Engine, { wait }: Request) {
    const { clock, storeTimeout } = engine.settings
    this.#engine = engine
    this.#ms = storeTimeout + wait
    this.#over.promise.catch(() => {})
    this.#timer = clock.setTimeout(() => {
      this.#late = storeUnavailable('claim a key', new Error(`it did not answer in ${this.#ms} ms`))
      this.#over.reject(this.#late)
    }, this.#ms)
  }

  /** The store has answered. @throws where that was too late */
  ensure(): void {
    this.#engine.settings.clock.clearTimeout(this.#timer)
    if (this.#late !== undefined) throw this.#late
  }

  async of(settled: Promise<Settled>): Promise<Settled> {
    settled.catch(() => {})
    try {
      return await Promise.race([settled, this.#over.promise])
    } finally {
      this.#engine.settings.clock.clearTimeout(this.#timer)
    }
  }
}
