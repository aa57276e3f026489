import { postgres as postgresServer, type Service, skipWithout } from '@loadbearing/harness/services'
import { createIdempotency, type Idempotency, isIdempotencyError } from '@loadbearing/stripe-idempotency'
import {
  type PostgresQuerier,
  type PostgresStore,
  postgresStore,
} from '@loadbearing/stripe-idempotency/postgres'
import { type SQL, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { drizzle as drizzleOnPostgres } from 'drizzle-orm/postgres-js'
import { type Knex, knex as openKnex } from 'knex'
import { CompiledQuery, Kysely, PostgresDialect, type Transaction } from 'kysely'
import type { Pool, PoolClient } from 'pg'
import postgres from 'postgres'
import { DataSource, type EntityManager } from 'typeorm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openPool } from './pool.ts'
import { openPrisma } from './prisma-client.ts'

const request = { scope: 'acct_1', key: 'k', input: { amount: 5 } } as const

/** A query of Drizzle with the parameters where the text has them. */
function drizzleQuery(text: string, params: readonly unknown[]): SQL {
  const parts = text.split(/\$(\d+)/)
  return sql.join(
    parts.map((part, at) => (at % 2 === 0 ? sql.raw(part) : sql`${sql.param(params[Number(part) - 1])}`)),
  )
}

/** A query of Knex, whose parameters are question marks. */
function knexQuery(transaction: Knex, text: string, params: readonly unknown[]): PromiseLike<unknown> {
  const bindings: Knex.RawBinding[] = []
  const query = text.replaceAll(/\$(\d+)/g, (_, n: string) => {
    bindings.push(params[Number(n) - 1] as Knex.RawBinding)
    return '?'
  })
  return transaction.raw(query, bindings)
}

/** A transaction of a query builder: as the store takes it, and a payment made through the builder. */
interface Begun {
  readonly transaction: PostgresQuerier
  pay(): Promise<unknown>
}

interface Builder {
  /** Commits where `work` resolves, and rolls back where it rejects. */
  transaction<Result>(work: (begun: Begun) => Promise<Result>): Promise<Result>
  end(): Promise<unknown>
}

interface Tables {
  readonly built_payment: { readonly amount: number }
}

const builders: Readonly<Record<string, (url: string, pool: Pool) => Promise<Builder>>> = {
  async 'Drizzle on pg'(_, pool) {
    const db = drizzle(pool)
    return {
      transaction: (work) =>
        db.transaction((tx) =>
          work({
            transaction: { query: (text, params) => tx.execute(drizzleQuery(text, params)) },
            pay: () => tx.execute(sql`INSERT INTO built_payment (amount) VALUES (${5})`),
          }),
        ),
      end: async () => {},
    }
  },
  async 'Drizzle on postgres'(url) {
    const client = postgres(url, { max: 4, onnotice: () => {} })
    const db = drizzleOnPostgres(client)
    return {
      transaction: (work) =>
        db.transaction((tx) =>
          work({
            transaction: { query: (text, params) => tx.execute(drizzleQuery(text, params)) },
            pay: () => tx.execute(sql`INSERT INTO built_payment (amount) VALUES (${5})`),
          }),
        ),
      end: () => client.end(),
    }
  },
  async Kysely(_, pool) {
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
    const begun = (tx: Transaction<Tables>): Begun => ({
      transaction: { query: (text, params) => tx.executeQuery(CompiledQuery.raw(text, params)) },
      pay: () => tx.insertInto('built_payment').values({ amount: 5 }).execute(),
    })
    // The pool is the test's, and stays open.
    return { transaction: (work) => db.transaction().execute((tx) => work(begun(tx))), end: async () => {} }
  },
  async Knex(url) {
    const knex = openKnex({ client: 'pg', connection: url, pool: { min: 0, max: 4 } })
    const begun = (tx: Knex.Transaction): Begun => ({
      transaction: { query: async (text, params) => knexQuery(tx, text, params) },
      pay: async () => tx('built_payment').insert({ amount: 5 }),
    })
    return { transaction: (work) => knex.transaction((tx) => work(begun(tx))), end: () => knex.destroy() }
  },
  async 'Prisma 7'(url) {
    const prisma = openPrisma(url)
    return {
      // It gives up a transaction after five seconds by itself.
      transaction: (work) =>
        prisma.$transaction(
          (tx) =>
            work({
              transaction: { query: (text, params) => tx.$queryRawUnsafe(text, ...params) },
              pay: () => tx.$executeRaw`INSERT INTO built_payment (amount) VALUES (${5})`,
            }),
          { maxWait: 20_000, timeout: 20_000 },
        ),
      end: () => prisma.$disconnect(),
    }
  },
  async TypeORM(url) {
    const source = await new DataSource({ type: 'postgres', url }).initialize()
    const begun = (manager: EntityManager): Begun => ({
      transaction: { query: (text, params) => manager.query(text, params) },
      pay: () => manager.query('INSERT INTO built_payment (amount) VALUES ($1)', [5]),
    })
    return {
      transaction: (work) => source.transaction((manager) => work(begun(manager))),
      end: () => source.destroy(),
    }
  },
}

describe.skipIf(skipWithout('postgres'))('a transaction begun by another library', () => {
  let server: Service
  let pool: Pool
  let store: PostgresStore
  let idempotency: Idempotency<PostgresQuerier>

  beforeAll(async () => {
    server = await postgresServer()
    pool = openPool(server.url, 10)
    store = postgresStore({ pool, table: 'built_record' })
    idempotency = createIdempotency({ store })
    await store.migrate()
    await pool.query('CREATE TABLE IF NOT EXISTS built_payment (id serial PRIMARY KEY, amount int NOT NULL)')
  }, 120_000)

  afterAll(async () => {
    await store?.[Symbol.asyncDispose]()
    await pool?.end()
    await server?.stop()
  })

  beforeEach(async () => {
    await pool.query('TRUNCATE built_record, built_payment')
  })

  async function payments(): Promise<number> {
    const { rows } = await pool.query('SELECT count(*)::int AS many FROM built_payment')
    return rows[0].many
  }

  async function withBuilder(name: string, work: (builder: Builder) => Promise<void>): Promise<void> {
    const builder = await builders[name]?.(server.url, pool)
    if (builder === undefined) throw new Error(`there is no ${name}`)
    try {
      await work(builder)
    } finally {
      await builder.end()
    }
  }

  const names = Object.keys(builders)

  test.each(names)('%s: key and payment are committed together, or neither is', async (name) => {
    await withBuilder(name, async (builder) => {
      const attempt = (fails: boolean): Promise<{ value: string; replayed: boolean }> =>
        builder.transaction(async ({ transaction, pay }) => {
          const run = await idempotency.within(transaction).run(request, async () => {
            await pay()
            return 'paid'
          })
          if (fails) throw new RangeError('no')
          return run
        })
      await expect(attempt(true)).rejects.toThrow('no')
      expect(await payments()).toBe(0)
      expect(await attempt(false)).toMatchObject({ value: 'paid', replayed: false })
      expect(await attempt(false)).toMatchObject({ value: 'paid', replayed: true })
      expect(await payments()).toBe(1)
    })
  })

  test.each(names)('%s: of 20 at once one pays, and the others wait for its answer', async (name) => {
    await withBuilder(name, async (builder) => {
      const runs = await Promise.all(
        Array.from({ length: 20 }, () =>
          builder.transaction(({ transaction, pay }) =>
            idempotency.within(transaction).run({ ...request, wait: '20s' }, async () => {
              await pay()
              return 'paid'
            }),
          ),
        ),
      )
      expect(runs.filter(({ replayed }) => !replayed)).toHaveLength(1)
      expect(await payments()).toBe(1)
    })
  })

  test.each(names)('%s: a record that was taken over is written by its new holder alone', async (name) => {
    await withBuilder(name, async (builder) => {
      // Claimed by one whose lease has ended, and who comes back.
      const claim = {
        scope: 'acct_1',
        key: 'abandoned',
        endpoint: '',
        fingerprint: new Uint8Array(32),
        id: 'id-1',
        owner: 'owner-1',
        lease: -1,
        ttl: 60_000,
        onAbandoned: 'rerun',
        operation: null,
      } as const
      const { record: old } = await store.claim(claim)
      await builder.transaction(async ({ transaction }) => {
        const part = store.within(transaction)
        const { claimed, record } = await part.claim({ ...claim, id: 'id-2', owner: 'owner-2' })
        expect(claimed).toBe(true)
        expect(record.fence).toBe(2)
        expect(await part.complete(old, new Uint8Array([1]))).toBe(false)
        expect(await part.complete(record, new Uint8Array([2]))).toBe(true)
      })
      const found = await store.find('acct_1', 'abandoned')
      expect([...(found?.response ?? [])]).toEqual([2])
    })
  })

  test.each(names)('%s: a table that is not there is named, with what to do', async (name) => {
    await withBuilder(name, async (builder) => {
      const elsewhere = createIdempotency({ store: postgresStore({ pool, table: 'not_migrated' }) })
      const run = builder.transaction(({ transaction }) =>
        elsewhere.within(transaction).run(request, async () => 'paid'),
      )
      await expect(run).rejects.toMatchObject({
        code: 'store_unavailable',
        message: 'there is no table not_migrated: call migrate() once',
      })
    })
  })

  test.each(names)('%s: a rival that waits in vain can go on with its transaction', async (name) => {
    await withBuilder(name, async (builder) => {
      const begun = Promise.withResolvers<void>()
      const end = Promise.withResolvers<void>()
      const first = builder.transaction(({ transaction, pay }) =>
        idempotency.within(transaction).run(request, async () => {
          await pay()
          begun.resolve()
          await end.promise
          return 'paid'
        }),
      )
      await begun.promise
      const second = builder.transaction(async ({ transaction, pay }) => {
        const rival = idempotency.within(transaction).run({ ...request, wait: 20 }, async () => 'twice')
        const code = await rival.then(() => 'none', codeOf)
        await pay()
        return code
      })
      const came = await second.catch(String)
      end.resolve()
      await first
      expect(came).toBe('in_use')
      expect(await payments()).toBe(2)
    })
  })

  test('Drizzle in a transaction of the store', async () => {
    const pay = (): Promise<{ value: string; replayed: boolean }> =>
      idempotency.transaction(request, async (transaction) => {
        // What the store hands over is a client of pg where it was made of a Pool.
        await drizzle(transaction as PoolClient).execute(
          sql`INSERT INTO built_payment (amount) VALUES (${5})`,
        )
        return 'paid'
      })
    expect([await pay(), await pay()]).toMatchObject([{ replayed: false }, { replayed: true }])
    expect(await payments()).toBe(1)
  })
})

function codeOf(error: unknown): string {
  return isIdempotencyError(error) ? error.code : String(error)
}
