import type { Engine } from './engine.ts'
import { IdempotencyError } from './errors.ts'
import type { Held, Hold } from './execution.ts'
import type { AtWork } from './lease/at-work.ts'
import type { Holder, IdempotencyRecord } from './record/record.ts'
import { placeOf, type Sealer } from './seal.ts'
import type { Performed, Request, Settled } from './settlement.ts'
import { type IdempotencyStore, isTransactional, type TransactionalStore } from './store/store.ts'

const triesMax = 5

/** Rolls a transaction back whose work came to what is not to be committed. */
class RolledBack extends Error {
  readonly performed: Performed
  readonly settled: Settled

  constructor(performed: Performed, settled: Settled) {
    super('nothing of it is to be committed')
    this.performed = performed
    this.settled = settled
  }
}

/**
 * Settles in a transaction of the store: the key, the answer and what `perform` writes are committed together. Where it came
 * to no answer that is kept, nothing is; where it says `undo`, the answer alone.
 *
 * @throws what `perform` and the store throw; then nothing was committed, unless the commit itself failed
 */
export async function settleInTransaction<Transaction>(
  engine: Engine,
  store: TransactionalStore<Transaction>,
  request: Request,
  perform: (execution: Held, transaction: Transaction) => Promise<Performed>,
): Promise<Settled> {
  // Its own last try may be in the middle of its commit, and then have the key still.
  const patient = { ...request, wait: Math.max(request.wait, engine.settings.storeTimeout) }
  const settle = (work: typeof perform): Promise<Settled> =>
    inTransaction(store, async (transaction, again) => {
      let performed: Performed | undefined
      const part = store.within(transaction)
      const settled = await engine.settleWithin(part, again ? patient : request, async (execution) => {
        performed = await work(execution, transaction)
        return commits(performed) ? performed : { answer: performed.answer, fate: 'release' }
      })
      if (performed === undefined || commits(performed)) return settled
      if ('error' in performed && store.isTransient(performed.error)) throw performed.error
      throw new RolledBack(performed, settled)
    })
  engine.atWork.begin()
  try {
    return await settle(perform)
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error
    const { performed, settled } = error
    if (performed.fate !== 'keep') return settled
    const { undo: _undone, ...kept } = performed
    return await settle(async () => kept)
  } finally {
    engine.atWork.end()
  }
}

/** What has its answer or its doubt in the transaction; the rest is as if it had never been begun. */
type Committed = Extract<Performed, { readonly fate: 'keep' | 'uncertain' }>

function commits(performed: Performed): performed is Committed {
  return performed.fate === 'keep' ? performed.undo !== true : performed.fate === 'uncertain'
}

/**
 * Runs `work` in a transaction of the store, again where it collided with another one, or where nobody knows whether its
 * commit was carried out: then the key, which was committed with it, tells. `work` is that of one claim.
 */
async function inTransaction<Transaction, Result>(
  store: TransactionalStore<Transaction>,
  work: (transaction: Transaction, again: boolean) => Promise<Result>,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await store.transaction((each) => work(each, tries > 1), { ofClaim: true })
    } catch (error) {
      if (tries === triesMax || !store.isTransient(error)) throw error
    }
  }
}

/** @throws IdempotencyError `invalid_option` where the store has no transactions */
export function transactionsOf(store: IdempotencyStore): TransactionalStore<never> {
  if (isTransactional(store)) return store
  throw new IdempotencyError(
    'invalid_option',
    'this store has no transactions: take that of PostgreSQL or SQLite',
  )
}

/** A record held by the transaction that claimed it: until that ends, nobody else can have it. */
export class OpenTransaction implements Hold, Disposable {
  readonly holder: Holder
  readonly #atWork: AtWork
  /** Made when somebody asks for it. */
  #controller: AbortController | undefined
  #reason: IdempotencyError | undefined

  constructor({ scope, key, id, fence, owner }: IdempotencyRecord, atWork: AtWork) {
    this.#atWork = atWork
    this.holder = { scope, key, id, fence, owner }
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#atWork.controller()
    if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  ensure(): void {
    this.signal.throwIfAborted()
  }

  [Symbol.dispose](): void {
    this.#atWork.forget(this.#controller)
  }

  lose(why: string): IdempotencyError {
    const error = new IdempotencyError('lease_lost', `record ${this.holder.id} was lost: ${why}`)
    this.#reason ??= error
    this.#controller?.abort(error)
    return error
  }
}

/** Writes what the work came to in its transaction. @throws IdempotencyError `lease_lost` */
export async function finishWithin(
  part: IdempotencyStore,
  hold: OpenTransaction,
  record: IdempotencyRecord,
  sealer: Sealer,
  performed: Performed,
): Promise<Settled> {
  const { id: recordId, fence } = record
  if (performed.fate === 'uncertain') {
    await part.markUncertain(hold.holder, performed.why)
    return { outcome: 'uncertain', recordId, why: performed.why }
  }
  const { answer, fate } = performed
  const executed: Settled = { outcome: 'executed', recordId, fence, answer, expiresAt: record.expiresAt }
  if (fate === 'kept') return executed
  if (fate === 'keep') {
    if (await part.complete(hold.holder, sealer.seal(answer, placeOf(record)))) return executed
    throw hold.lose('it is no longer in the transaction that claimed it')
  }
  try {
    await (fate === 'release' ? part.release(hold.holder) : part.leave(hold.holder))
  } catch {
    // A statement of the work failed, and the transaction can only be rolled back, which does the same.
  }
  return executed
}
