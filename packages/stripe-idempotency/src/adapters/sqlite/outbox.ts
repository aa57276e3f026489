import { Buffer } from 'node:buffer'
import type { DatabaseSync } from 'node:sqlite'
import { type Duration, parsePositiveDuration } from '../../duration.ts'
import { IdempotencyError, shown } from '../../errors.ts'
import type { Outbox, StagedJob } from '../../operation/outbox.ts'
import { type Clock, realClock } from '../../ports.ts'
import { Turns } from './turns.ts'

/** Options of {@link sqliteOutbox}. */
export interface SqliteOutboxOptions {
  /** The database of the store. */
  readonly database: DatabaseSync
  /** Default: `idempotency_outbox`. */
  readonly table?: string
  /** How long a delivery may take; whoever takes longer, or dies, has its jobs delivered again by another. Default: `60s`. */
  readonly lease?: Duration
  /** Default: the clock of the process. All processes on one file are on one machine. */
  readonly clock?: Pick<Clock, 'now'>
}

/**
 * An outbox beside a store in SQLite. Makes its table where it is not there. Jobs that are being delivered are held by a
 * lease, as no connection but one can write while a transaction is open.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function sqliteOutbox({
  database,
  table = 'idempotency_outbox',
  lease = '60s',
  clock = realClock,
}: SqliteOutboxOptions): Outbox<DatabaseSync> {
  if (!/^[A-Za-z_]\w{0,50}$/.test(table)) {
    throw new IdempotencyError('invalid_option', `table must be a plain name of a table, not ${shown(table)}`)
  }
  const leaseMs = parsePositiveDuration('lease', lease)
  database.exec(`
    CREATE TABLE IF NOT EXISTS ${table} (
      place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, payload BLOB NOT NULL,
      lease_ends INTEGER NOT NULL DEFAULT 0, leased_at INTEGER NOT NULL DEFAULT 0, fence INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX IF NOT EXISTS ${table}_held ON ${table} (leased_at) WHERE lease_ends > 0`)
  const insert = database.prepare(`INSERT INTO ${table} (id, name, payload) VALUES (?, ?, ?)`)
  // Of the future is what was leased before the clock was set back: its lease goes on from now, for as long as it was given.
  const goOn = database.prepare(
    `UPDATE ${table} SET lease_ends = lease_ends - leased_at + ?1, leased_at = ?1
       WHERE lease_ends > 0 AND leased_at > ?1`,
  )
  const take = database.prepare(
    `UPDATE ${table} SET lease_ends = ?1, leased_at = ?2, fence = fence + 1 WHERE place IN
       (SELECT place FROM ${table} WHERE lease_ends <= ?2 ORDER BY place LIMIT ?3)
     RETURNING place, id, name, payload, fence`,
  )
  const finish = database.prepare(`DELETE FROM ${table} WHERE place = ? AND fence = ?`)
  const giveBack = database.prepare(`UPDATE ${table} SET lease_ends = 0 WHERE place = ? AND fence = ?`)
  const turns = Turns.of(database)
  return {
    async stage(transaction, jobs) {
      if (transaction !== database || !database.isTransaction) {
        throw new IdempotencyError(
          'invalid_option',
          'this outbox is for a store in the same SQLite database, within its transactions',
        )
      }
      for (const { id, name, payload } of jobs) insert.run(id, name, payload)
    },
    async drain(limit, deliver) {
      const now = clock.now()
      const rows = await turns.take(async () => {
        goOn.run(now)
        return take.all(now + leaseMs, now, limit)
      })
      if (rows.length === 0) return 0
      const all = (statement: typeof finish): Promise<void> =>
        turns.take(async () => {
          database.exec('BEGIN IMMEDIATE')
          for (const { place, fence } of rows) statement.run(Number(place), Number(fence))
          database.exec('COMMIT')
        })
      const jobs = rows.toSorted((a, b) => Number(a['place']) - Number(b['place'])).map(jobOf)
      try {
        await deliver(jobs)
      } catch (error) {
        await all(giveBack)
        throw error
      }
      await all(finish)
      return jobs.length
    },
  }
}

function jobOf({ id, name, payload }: Record<string, unknown>): StagedJob {
  return {
    id: String(id),
    name: String(name),
    payload: payload instanceof Uint8Array ? Buffer.from(payload) : new Uint8Array(),
  }
}
