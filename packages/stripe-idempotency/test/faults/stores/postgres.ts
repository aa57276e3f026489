import { setTimeout as pause } from 'node:timers/promises'
import { postgres } from '@loadbearing/harness/services'
import { postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { Pool } from 'pg'
import { entriesOf, type Stage } from './stage.ts'

/** @param unlogged whether the table of records is emptied by a crash */
export async function postgresStage(unlogged = false): Promise<Stage> {
  const service = await postgres({ name: 'idempotency-faults' })
  const pool = new Pool({ connectionString: service.url, max: 4 })
  pool.on('error', () => {})
  const store = postgresStore({ pool })
  return {
    kind: 'postgres',
    url: service.url,
    store,
    async prepare(balances) {
      await pool.query('DROP TABLE IF EXISTS account, ledger, naive, idempotency_record')
      await pool.query('CREATE TABLE account (tenant text PRIMARY KEY, balance bigint NOT NULL)')
      await pool.query(
        'CREATE TABLE ledger (place bigserial, tenant text, key text, kind text, amount bigint, fence bigint)',
      )
      await pool.query(
        'CREATE TABLE naive (tenant text, key text, ends float8, answer text, PRIMARY KEY (tenant, key))',
      )
      for (const entry of Object.entries(balances))
        await pool.query('INSERT INTO account VALUES ($1, $2)', entry)
      await store.migrate()
      if (unlogged) await pool.query('ALTER TABLE idempotency_record SET UNLOGGED')
    },
    async look() {
      const { rows } = await pool.query('SELECT * FROM ledger ORDER BY place')
      const sum = await pool.query('SELECT sum(balance) AS balance FROM account')
      return { entries: entriesOf(rows), balance: Number(sum.rows[0]?.balance) }
    },
    async kill() {
      await service.kill()
      await service.restart()
    },
    async outage(ms) {
      await service.pause()
      await pause(ms)
      await service.resume()
    },
    async fenceOff() {},
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await pool.end()
      await service.stop()
    },
  }
}
