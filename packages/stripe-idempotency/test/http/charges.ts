import { DatabaseSync } from 'node:sqlite'
import type { TransactionalStore } from '@loadbearing/stripe-idempotency'
import { type PostgresQuerier, postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { openPool } from '../stores/pool.ts'

/** The business of a handler: a row for each charge, in the same database as the keys. */
export interface Charges<Transaction> extends AsyncDisposable {
  readonly store: TransactionalStore<Transaction>
  readonly insert: (transaction: Transaction) => Promise<void>
  readonly count: () => Promise<number>
}

export function sqliteCharges(path: string): Charges<DatabaseSync> {
  const database = new DatabaseSync(path)
  const store = sqliteStore({ database })
  database.exec('CREATE TABLE IF NOT EXISTS charge (amount INTEGER NOT NULL)')
  return {
    store,
    insert: async (transaction) => {
      transaction.exec('INSERT INTO charge VALUES (5)')
    },
    count: async () => Number(database.prepare('SELECT count(*) AS n FROM charge').get()?.['n']),
    async [Symbol.asyncDispose]() {
      database.close()
    },
  }
}

/** `transactions` are those that wrote what is there: rows and records. */
export async function postgresCharges(
  url: string,
): Promise<Charges<PostgresQuerier> & { readonly transactions: () => Promise<readonly unknown[]> }> {
  const pool = openPool(url, 4)
  const store = postgresStore({ pool, table: 'charge_record' })
  await store.migrate()
  await pool.query('CREATE TABLE IF NOT EXISTS charge (amount integer NOT NULL)')
  return {
    store,
    insert: async (transaction) => {
      await transaction.query('INSERT INTO charge VALUES ($1)', [5])
    },
    count: async () => {
      const { rows } = await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM charge')
      return rows[0]?.n ?? 0
    },
    transactions: async () => {
      const { rows } = await pool.query<{ xmin: unknown }>(
        'SELECT xmin FROM charge UNION ALL SELECT xmin FROM charge_record',
      )
      return rows.map(({ xmin }) => xmin)
    },
    [Symbol.asyncDispose]: () => pool.end(),
  }
}
