import { Buffer } from 'node:buffer'
import { type Duration, parsePositiveDuration } from '../../duration.ts'
import type { Outbox, StagedJob } from '../../operation/outbox.ts'
import type { Finding } from '../../store/store.ts'
import { type PostgresClient, type PostgresQuerier, portOf, querierOf, type Row } from './client.ts'
import { persistenceOf } from './doctor.ts'
import { bytesOf, numberOf, textOf, writeText } from './record-row.ts'
import { statement } from './statements.ts'
import { checkTable, missingTable } from './table.ts'
import { inTransaction } from './transaction.ts'

/** Options of {@link postgresOutbox}. */
export interface PostgresOutboxOptions {
  /** A `Pool` of `pg`, or the `sql` of `postgres`, of the database of the store. It stays open. */
  readonly pool: PostgresClient
  /** Name of the table, with its schema where that is not on the search path. Default: `idempotency_outbox`. */
  readonly table?: string
  /**
   * How long a delivery may take; whoever takes longer, or stands still, has its transaction ended by the server, and its
   * jobs delivered again by another. Default: `60s`.
   */
  readonly lease?: Duration
  /** The connections come through a pooler of transactions, such as PgBouncer: nothing is prepared then. Default: false. */
  readonly transactionPooler?: boolean
}

/** An outbox in a table of PostgreSQL. */
export interface PostgresOutbox extends Outbox<PostgresQuerier> {
  /** Makes the table where it is not there. */
  migrate(): Promise<void>
  /** What would lose jobs: a table that is UNLOGGED or not there. */
  doctor(): Promise<readonly Finding[]>
}

/**
 * An outbox beside a store in PostgreSQL. Any number of drainers share it: each takes the oldest jobs that no other one
 * has, by one `DELETE … FOR UPDATE SKIP LOCKED … RETURNING`, in a transaction that is committed once they are delivered. A
 * drainer that fails or dies has deleted nothing. While it delivers it holds one connection, for `lease` at most.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function postgresOutbox(options: PostgresOutboxOptions): PostgresOutbox {
  const { pool, table = 'idempotency_outbox', transactionPooler = false } = options
  checkTable(table)
  const lease = Math.ceil(parsePositiveDuration('lease', options.lease ?? '60s'))
  const prepare = !transactionPooler
  const port = portOf(pool, prepare)
  const insert = statement(`INSERT INTO ${table} (id, name, payload)
    SELECT id, name, decode(payload, 'base64')
    FROM json_to_recordset($1::text::json) AS job(id text, name text, payload text)`)
  // As an array the inner query is carried out once, whatever the planner makes of it, and so its limit holds.
  const take = statement(`DELETE FROM ${table} WHERE place = ANY (ARRAY(
      SELECT place FROM ${table} ORDER BY place LIMIT $1::int FOR UPDATE SKIP LOCKED))
    RETURNING place, id, name, payload`)
  const begin = `BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${lease}`
  return {
    async stage(transaction, jobs) {
      const rows = jobs.map(({ id, name, payload }) => ({
        id,
        name: writeText(name),
        payload: Buffer.from(payload).toString('base64'),
      }))
      await missingTable(table, querierOf(transaction, prepare).query(insert, [JSON.stringify(rows)]))
    },
    drain: (limit, deliver) =>
      inTransaction(port, prepare, begin, async (querier) => {
        const rows = await missingTable(table, querier.query(take, [limit]))
        if (rows.length > 0) await deliver(jobsOf(rows))
        return rows.length
      }),
    async migrate() {
      await port.run(`SELECT pg_advisory_xact_lock(7253, hashtext('${table}'));
        CREATE TABLE IF NOT EXISTS ${table} (
          place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL, name text NOT NULL, payload bytea NOT NULL)`)
    },
    doctor: () => persistenceOf(port, table),
  }
}

/** Oldest first. */
function jobsOf(rows: readonly Row[]): readonly StagedJob[] {
  return rows
    .toSorted((a, b) => numberOf(a, 'place') - numberOf(b, 'place'))
    .map((row) => ({
      id: textOf(row, 'id'),
      name: textOf(row, 'name'),
      payload: bytesOf(row, 'payload') ?? new Uint8Array(),
    }))
}
