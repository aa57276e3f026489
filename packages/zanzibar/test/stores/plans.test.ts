import { skipWithout } from '@loadbearing/harness/services'
import type { Pool, PoolClient } from 'pg'
import { describe, expect, test } from 'vitest'
import type { PostgresPool, Statement } from '../../src/adapters/postgres/client.ts'
import { openPostgresStore } from '../../src/adapters/postgres.ts'
import { openZanzibar, type ZanzibarWrite } from '../../src/index.ts'
import { openTestStore } from './open-test-store.ts'

// What PostgreSQL believes of a table is old, or there is none yet: what is read must not hang on it.

const model = `
model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]`

type Add = NonNullable<ZanzibarWrite['add']>

const members = (group: string, from: number, count: number): Add =>
  Array.from({ length: count }, (_, at) => [`user:${from + at}`, 'member', group] as const)

/** A pool that tells how many tuples each transaction looked at. */
function countingWrites(pool: Pool, onCommit: (looked: number) => void): PostgresPool {
  return {
    options: pool.options,
    query: (statement) => pool.query(statement),
    connect: async () => {
      const connection = await pool.connect()
      const query = async (statement: Statement): Promise<{ rows: unknown[] }> => {
        if (statement.text === 'COMMIT') {
          const { rows } = await connection.query<{ looked: string }>(
            `SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS looked FROM pg_stat_xact_user_tables
              WHERE relname = 'zanzibar_tuple'`,
          )
          onCommit(Number(rows[0]?.looked))
        }
        return connection.query(statement)
      }
      return new Proxy<PoolClient>(connection, {
        get: (target, name) => {
          const value: unknown = name === 'query' ? query : Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    },
  }
}

/** Pages that a plan that was run has looked at. */
function pagesIn(plan: unknown): number {
  const [root] = Object(Array.isArray(plan) ? plan[0] : undefined)['QUERY PLAN'] ?? []
  const { 'Shared Hit Blocks': hit = 0, 'Shared Read Blocks': read = 0 } = Object(Object(root)['Plan'])
  return Number(hit) + Number(read)
}

describe.skipIf(skipWithout('postgres'))('PostgreSQL', () => {
  test('looks up the tuples of a write alone, before there are statistics', async () => {
    await using opened = await openTestStore('postgres')
    const { pool = expect.unreachable() } = opened
    const looked: number[] = []
    await using store = await openPostgresStore({ pool: countingWrites(pool, (each) => looked.push(each)) })
    const zanzibar = await openZanzibar({ store, model })
    const [writes, size] = [4, 3000]
    for (let each = 0; each < writes; each++)
      await zanzibar.write({ add: members('group:1', each * size, size) })
    await zanzibar.write({ remove: members('group:1', 0, size) })
    expect(looked).toHaveLength(writes + 1)
    for (const each of looked) expect(each).toBeLessThanOrEqual(3 * size)
  })

  test('finds what is asked for in a store that statistics do not know', async () => {
    await using opened = await openTestStore('postgres')
    const { pool = expect.unreachable() } = opened
    let pages = 0
    const query = async (statement: Statement): Promise<{ rows: unknown[] }> => {
      if (statement.name?.startsWith('zanzibar_read_') === true) {
        const { rows } = await pool.query(
          `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement.text}`,
          statement.values,
        )
        pages = pagesIn(rows)
      }
      return pool.query(statement)
    }
    await using store = await openPostgresStore({
      pool: { query, connect: () => pool.connect(), options: pool.options },
    })
    const fill = async (name: string, count: number) => {
      const zanzibar = await openZanzibar({ store, model, name })
      for (let from = 0; from < count; from += 1000)
        await zanzibar.write({ add: members(`group:${from}`, from, 1000) })
      return zanzibar
    }
    await fill('known', 30_000)
    await pool.query('ANALYZE')
    const zanzibar = await fill('new', 20_000)
    expect(await zanzibar.check('user:nobody', 'member', 'group:0')).toBe(false)
    expect(pages).toBeGreaterThan(0)
    expect(pages).toBeLessThan(40)
    expect(await Array.fromAsync(zanzibar.listObjects('user:7', 'member', 'group'))).toEqual(['group:0'])
    expect(pages).toBeLessThan(40)
  })
})
