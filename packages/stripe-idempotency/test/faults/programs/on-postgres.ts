import { type PostgresQuerier, postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { Pool, type PoolClient } from 'pg'
import { type Backing, transactional } from './ours.ts'
import { around, point } from './points.ts'
import type { Books, Transfer } from './transfer.ts'

export function onPostgres(url: string, lease: number): Backing<PostgresQuerier> {
  return { idempotency: transactional(postgresStore({ pool: poolAt(url) }), lease), books: postgresBooks }
}

/** A pool where each statement has a point before and after it. */
export function poolAt(url: string): Pool {
  const pool = new Pool({ connectionString: url, max: 8, connectionTimeoutMillis: 2000, query_timeout: 3000 })
  pool.on('error', () => {})
  const seen = new WeakSet<PoolClient>()
  const { connect } = pool
  withPoints(pool)
  return Object.assign(pool, {
    // The pool itself calls it with a callback, for each statement of its own.
    connect: async (...given: unknown[]): Promise<unknown> => {
      const client: PoolClient = await Reflect.apply(connect, pool, given)
      if (given.length === 0 && !seen.has(client)) {
        seen.add(client)
        withPoints(client)
      }
      return client
    },
  })
}

function withPoints(querier: { query: unknown }): void {
  const { query } = querier
  if (typeof query !== 'function') throw new TypeError('what answers no query has no points')
  querier.query = (...given: unknown[]): unknown => {
    const answered: unknown = Reflect.get(Object(given[0]), 'answered')
    if (answered instanceof Promise) {
      point('batch.before')
      answered.then(
        () => point('batch.after'),
        () => {},
      )
      return Reflect.apply(query, querier, given)
    }
    const run = async (): Promise<unknown> => Reflect.apply(query, querier, given)
    // The pool's own statements, which it asks for with a callback, have theirs.
    return typeof given.at(-1) === 'function' ? run() : around(verbOf(given[0]), run)
  }
}

/** As a point may be named. */
function verbOf(statement: unknown): string {
  const text = typeof statement === 'string' ? statement : String(Reflect.get(Object(statement), 'text'))
  return /\w+/.exec(text)?.[0].toLowerCase() ?? 'statement'
}

export const postgresBooks: Books<PostgresQuerier> = {
  async debit(tx, transfer, fence) {
    await tx.query('UPDATE account SET balance = balance - $1 WHERE tenant = $2', [
      transfer.amount,
      transfer.tenant,
    ])
    await enterInto(tx, 'debit', transfer, fence)
  },
  finish: (tx, transfer, fence) => enterInto(tx, 'done', transfer, fence),
}

async function enterInto(
  tx: PostgresQuerier,
  kind: string,
  { tenant, key, amount }: Transfer,
  fence: number,
): Promise<void> {
  await tx.query('INSERT INTO ledger (tenant, key, kind, amount, fence) VALUES ($1, $2, $3, $4, $5)', [
    tenant,
    key,
    kind,
    amount,
    fence,
  ])
}
