import type { Clock } from '../ports.ts'
import { type PostgresClient, portOf } from './postgres/client.ts'
import { PostgresStore } from './postgres/postgres-store.ts'
import { checkTable } from './postgres/table.ts'

export type { PostgresClient, PostgresQuerier } from './postgres/client.ts'
export { type PostgresOutbox, type PostgresOutboxOptions, postgresOutbox } from './postgres/outbox.ts'
export type { PostgresStore } from './postgres/postgres-store.ts'

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /**
   * A `Pool` or a connected `Client` of `pg`, or the `sql` of `postgres`. Of the primary: a replica may not know a key yet.
   * It stays open when the store is disposed of.
   */
  readonly pool: PostgresClient
  /** Name of the table, with its schema where that is not on the search path. Default: `idempotency_record`. */
  readonly table?: string
  /**
   * The connections come through a pooler of transactions, such as PgBouncer: nothing is prepared and nothing listened
   * for then, and who waits for a record asks again when its lease ends. Default: false.
   */
  readonly transactionPooler?: boolean
  /** For tests that move time. Default: the server's; another one for each process would let them take leases from each other. */
  readonly clock?: Pick<Clock, 'now'>
}

/**
 * A store in PostgreSQL 11 or later. `migrate()` makes its table. Every method is one statement at READ COMMITTED, but for
 * the second one that takes a record over. Who waits for a record is notified; while anybody does, one connection listens.
 *
 * `within(transaction)` makes the record a part of a transaction on the user's own data: both are committed, or neither.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function postgresStore(options: PostgresStoreOptions): PostgresStore {
  const { pool, table = 'idempotency_record', transactionPooler = false, clock = null } = options
  checkTable(table)
  return new PostgresStore({
    port: portOf(pool, !transactionPooler),
    table,
    prepare: !transactionPooler,
    listens: !transactionPooler,
    clock,
  })
}
