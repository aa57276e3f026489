import type { Engine } from './engine.ts'
import { IdempotencyError } from './errors.ts'
import type { Held } from './execution.ts'
import type { Performed, Request, Settled } from './settlement.ts'
import { type IdempotencyStore, isTransactional, type TransactionalStore } from './store/store.ts'

const triesMax = 5

/** Rolls a transaction back whose work came to what is not to be committed. */
class RolledBack extends Error {
  readonly performed: Performed
  readonly settled: Settled

  constructor(performed: Performed, settled: Settled) {
    super('nothing of it is to be committed', 'error' in performed ? { cause: performed.error } : {})
    this.performed = performed
    this.settled = settled
  }
}

/**
 * Settles in a transaction of the store: the key, the answer and what `perform` writes are committed together. Where it came
 * to no answer that is kept, nothing is; where it says `undo`, the answer alone.
 *
 * @param onAgain called where it was rolled back, and is begun anew
 * @throws what `perform` and the store throw; then nothing was committed, unless the commit itself failed
 */
export async function settleInTransaction<Transaction>(
  engine: Engine,
  store: TransactionalStore<Transaction>,
  request: Request,
  perform: (execution: Held, transaction: Transaction) => Promise<Performed>,
  onAgain: () => void = () => {},
): Promise<Settled> {
  // Its own last try may be in the middle of its commit, and then have the key still.
  const patient = { ...request, wait: Math.max(request.wait, engine.settings.storeTimeout) }
  const settle = (work: typeof perform): Promise<Settled> =>
    inTransaction(store, async (transaction, again) => {
      if (again) onAgain()
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
