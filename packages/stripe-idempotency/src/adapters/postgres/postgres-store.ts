import { realClock } from '../../ports.ts'
import type { Finding, IdempotencyStore, TransactionalStore } from '../../store/store.ts'
import { Watcher } from '../../store/watcher.ts'
import { type Port, type PostgresQuerier, querierOf, type Row, type Statement } from './client.ts'
import { examine } from './doctor.ts'
import { writeText } from './record-row.ts'
import { type PostgresParts, Records } from './records.ts'
import { RecordsWithin } from './records-within.ts'
import { isCollision, isOfKey } from './sql-state.ts'
import { channelOf, migrationOf, statementsFor } from './statements.ts'
import { inTransaction, mayBeCommitted, type TransactionQuerier } from './transaction.ts'

const triesMax = 100

/** See `postgresStore`. */
export class PostgresStore extends Records implements TransactionalStore<PostgresQuerier> {
  readonly #parts: PostgresParts
  readonly #watcher: Watcher | undefined
  /** Transactions that are of one claim, and wait for it to begin. */
  readonly #ofClaims = new WeakMap<PostgresQuerier, TransactionQuerier>()
  readonly watch?: NonNullable<IdempotencyStore['watch']>

  /** @internal */
  constructor(parts: PostgresParts) {
    super(parts.port, statementsFor(parts.table), parts)
    this.#parts = parts
    const { port, table, listens } = parts
    if (!listens || port.listen === undefined) return
    const watcher = new Watcher((changed, lost) => listenTo(port, table, changed, lost))
    this.#watcher = watcher
    this.watch = ({ scope, key, id }, signal) => {
      const place = [writeText(scope), writeText(key), id]
      return watcher.watch(id, async () => (await this.ask(this.statements.await, place)).length > 0, signal)
    }
  }

  /** Makes the table and its indexes where they are not there. */
  async migrate(): Promise<void> {
    await this.querier.run(migrationOf(this.#parts.table))
  }

  /** What would lose records, or carry a request out twice: an UNLOGGED table, a replica, `fsync` off. */
  doctor(): Promise<readonly Finding[]> {
    return examine(this.querier, this.#parts.table, () => (this.#parts.clock ?? realClock).now())
  }

  transaction<Result>(
    work: (transaction: PostgresQuerier) => Promise<Result>,
    { ofClaim = false }: { readonly ofClaim?: boolean } = {},
  ): Promise<Result> {
    const { port, prepare } = this.#parts
    return inTransaction(port, prepare, ofClaim ? null : 'BEGIN', (querier, connection) => {
      // Handed over as what it is, so that the user has all that his driver gives him.
      const transaction = connection as PostgresQuerier
      if (ofClaim) this.#ofClaims.set(transaction, querier)
      return work(transaction)
    })
  }

  within(transaction: PostgresQuerier): IdempotencyStore {
    const querier = this.#ofClaims.get(transaction)
    this.#ofClaims.delete(transaction)
    return querier === undefined
      ? new RecordsWithin(querierOf(transaction, this.#parts.prepare), this.statements, this.#parts)
      : new RecordsWithin(querier, this.statements, this.#parts, (step) => querier.defer(step))
  }

  isTransient(error: unknown): boolean {
    // Or somebody committed the key between the look at it and the lock on it.
    return mayBeCommitted(error) || isCollision(error) || isOfKey(error, this.#parts.table)
  }

  /** Each is a transaction of its own, which a server whose default is SERIALIZABLE may refuse. */
  protected override async ask(statement: Statement, params: readonly unknown[]): Promise<readonly Row[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await super.ask(statement, params)
      } catch (error) {
        if (tries === triesMax || !isCollision(error)) throw error
      }
    }
  }

  /** Nothing of the store is left open: pool or client are the caller's. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher?.[Symbol.asyncDispose]()
  }
}

function listenTo(
  { listen }: Port,
  table: string,
  changed: (id: string) => void,
  lost: () => void,
): Promise<() => Promise<void>> {
  return listen === undefined
    ? Promise.reject(new Error('this client hears no notifications'))
    : listen(channelOf(table), changed, lost)
}
