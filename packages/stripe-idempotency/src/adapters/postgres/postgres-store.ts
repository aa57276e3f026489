import { IdempotencyError } from '../../errors.ts'
import { realClock } from '../../ports.ts'
import type { Finding, IdempotencyStore, TransactionalStore } from '../../store/store.ts'
import { Watcher } from '../../store/watcher.ts'
import { type Port, type PostgresQuerier, type Querier, querierOf } from './client.ts'
import { examine } from './doctor.ts'
import { writeText } from './record-row.ts'
import { type PostgresParts, Records } from './records.ts'
import { RecordsWithin } from './records-within.ts'
import {
  constraintOf,
  deadlockDetected,
  isShutdown,
  serializationFailure,
  sqlState,
  uniqueViolation,
} from './sql-state.ts'
import { channelOf, migrationOf, statementsFor } from './statements.ts'

/** See `postgresStore`. */
export class PostgresStore extends Records implements TransactionalStore<PostgresQuerier> {
  readonly #parts: PostgresParts
  readonly #watcher: Watcher | undefined
  /** Failures of commits that may have been carried out all the same. */
  readonly #unknown = new WeakSet<object>()
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

  async transaction<Result>(work: (transaction: PostgresQuerier) => Promise<Result>): Promise<Result> {
    const { port } = this.#parts
    const { connection, release } = await port.connect()
    const querier = querierOf(connection, this.#parts.prepare)
    let broken = true
    try {
      await querier.run('BEGIN')
      let result: Result
      try {
        // Handed over as what it is, so that the user has all that his driver gives him.
        result = await work(connection as PostgresQuerier)
      } catch (error) {
        broken = !(await succeeds(querier.run('ROLLBACK')))
        throw error
      }
      await this.#commit(querier)
      broken = false
      return result
    } finally {
      release(broken)
    }
  }

  within(transaction: PostgresQuerier): IdempotencyStore {
    const querier = querierOf(transaction, this.#parts.prepare)
    return new RecordsWithin(querier, this.statements, this.#parts)
  }

  isTransient(error: unknown): boolean {
    if (typeof error !== 'object' || error === null) return false
    if (this.#unknown.has(error)) return true
    const state = sqlState(error)
    return (
      state === serializationFailure ||
      state === deadlockDetected ||
      // Somebody committed the key between the look at it and the lock on it.
      (state === uniqueViolation && constraintOf(error) === `${nameOf(this.#parts.table)}_pkey`)
    )
  }

  /** Nothing of the store is left open: pool or client are the caller's. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher?.[Symbol.asyncDispose]()
  }

  async #commit(querier: Querier): Promise<void> {
    let tag: string
    try {
      tag = await querier.run('COMMIT')
    } catch (cause) {
      if (sqlState(cause) !== undefined && !isShutdown(cause)) throw cause
      const error = new IdempotencyError(
        'store_unavailable',
        'the connection was lost in a commit, which may have been carried out; ask for the key again',
        { cause },
      )
      this.#unknown.add(error)
      throw error
    }
    if (tag === 'COMMIT') return
    throw new IdempotencyError(
      'store_unavailable',
      'the transaction was rolled back, since a statement in it had failed and the error was not passed on',
    )
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

/** Of a table, without its schema. */
function nameOf(table: string): string {
  return table.slice(table.indexOf('.') + 1)
}

async function succeeds(action: Promise<unknown>): Promise<boolean> {
  try {
    await action
    return true
  } catch {
    return false
  }
}
