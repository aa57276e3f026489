import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { entriesOf, type Stage } from './stage.ts'

const busy = 5

/** A file; no server that could be killed, and no link that could break. */
export async function sqliteStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'idempotency-faults-'))
  const url = join(folder, 'records.db')
  const database = new DatabaseSync(url)
  const store = sqliteStore({ database })
  return {
    kind: 'sqlite',
    url,
    store,
    async prepare(balances) {
      database.exec(`
        PRAGMA busy_timeout = 5000;
        DROP TABLE IF EXISTS account; DROP TABLE IF EXISTS ledger;
        DELETE FROM idempotency_record; DELETE FROM idempotency_record_journal;
        CREATE TABLE account (tenant TEXT PRIMARY KEY, balance INTEGER NOT NULL);
        CREATE TABLE ledger (place INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT, key TEXT, kind TEXT, amount INTEGER,
          fence INTEGER)`)
      const insert = database.prepare('INSERT INTO account VALUES (?, ?)')
      for (const [tenant, balance] of Object.entries(balances)) insert.run(tenant, balance)
      // From now on a wait here would be one of all that this process does, waking who holds the lock among it; who is told
      // that it is busy looks again.
      database.exec('PRAGMA busy_timeout = 0')
    },
    async look() {
      const rows = database.prepare('SELECT * FROM ledger ORDER BY place').all()
      const sum = database.prepare('SELECT sum(balance) AS balance FROM account').get()
      return { entries: entriesOf(rows), balance: Number(sum?.['balance']) }
    },
    /** Another connection writes for all that time. */
    async outage(ms) {
      const other = new DatabaseSync(url)
      try {
        await beginImmediate(other)
        await pause(ms)
        other.exec('ROLLBACK')
      } finally {
        other.close()
      }
    },
    async fenceOff() {},
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      database.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** A wait inside SQLite would stop this process, and with it what wakes the holder of the lock. */
async function beginImmediate(database: DatabaseSync): Promise<void> {
  for (;;) {
    try {
      database.exec('BEGIN IMMEDIATE')
      return
    } catch (error) {
      if (!(error instanceof Error && 'errcode' in error && error.errcode === busy)) throw error
      await pause(5)
    }
  }
}
