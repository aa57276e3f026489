import { eventually } from '@loadbearing/harness/faults'
import { postgres as postgresServer, type Service, skipWithout } from '@loadbearing/harness/services'
import {
  type ClaimRequest,
  createIdempotency,
  type Idempotency,
  isIdempotencyError,
} from '@loadbearing/stripe-idempotency'
import {
  type PostgresQuerier,
  type PostgresStore,
  postgresStore,
} from '@loadbearing/stripe-idempotency/postgres'
import type { Pool } from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openPool } from './pool.ts'

const request = { scope: 'acct_1', key: 'k', input: { amount: 5 } }
const pay = 'INSERT INTO payment (amount) VALUES (5)'

describe.skipIf(skipWithout('postgres'))('one transaction for a key and the rows that it is for', () => {
  let server: Service
  let pool: Pool
  let sql: postgres.Sql
  let store: PostgresStore
  let idempotency: Idempotency<PostgresQuerier>

  beforeAll(async () => {
    server = await postgresServer()
    pool = openPool(server.url, 10)
    sql = postgres(server.url, { max: 4, onnotice: () => {} })
    store = postgresStore({ pool, table: 'transaction_record' })
    idempotency = createIdempotency({ store })
    await store.migrate()
    await pool.query('CREATE TABLE IF NOT EXISTS payment (id serial PRIMARY KEY, amount int NOT NULL)')
  }, 120_000)

  afterAll(async () => {
    await store?.[Symbol.asyncDispose]()
    await pool?.end()
    await sql?.end()
    await server?.stop()
  })

  beforeEach(async () => {
    await pool.query('TRUNCATE transaction_record, payment')
  })

  async function payments(): Promise<number> {
    const { rows } = await pool.query('SELECT count(*)::int AS many FROM payment')
    return rows[0].many
  }

  async function codeOf(call: Promise<unknown>): Promise<string> {
    try {
      await call
      return 'none'
    } catch (error) {
      return isIdempotencyError(error) ? error.code : String(error)
    }
  }

  /** Commits for each of 50 payments, as the server counts them in a database that nobody else uses. */
  async function commitsEach(
    name: string,
    payEach: (own: Pool, n: number) => Promise<unknown>,
  ): Promise<number> {
    await pool.query(`DROP DATABASE IF EXISTS ${name}`)
    await pool.query(`CREATE DATABASE ${name}`)
    const url = new URL(server.url)
    url.pathname = name
    const counted = async (work: (own: Pool) => Promise<unknown>): Promise<number> => {
      const before = await commits(name)
      const own = openPool(url.href, 1)
      await work(own)
      await own.end()
      // A backend has told of all its transactions when it is gone.
      await eventually(async () => {
        const { rows } = await pool.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1', [name])
        return rows.length === 0
      })
      return (await commits(name)) - before
    }
    await counted(async (own) => {
      await postgresStore({ pool: own }).migrate()
      await own.query('CREATE TABLE payment (id serial PRIMARY KEY, amount int NOT NULL)')
    })
    const idle = await counted((own) => own.query(''))
    const many = await counted(async (own) => {
      for (let n = 0; n < 50; n++) await payEach(own, n)
    })
    await pool.query(`DROP DATABASE ${name}`)
    // The server's own processes may have looked in.
    return Math.round((many - idle) / 50)
  }

  async function commits(name: string): Promise<number> {
    const { rows } = await pool.query(
      'SELECT xact_commit::int AS many FROM pg_stat_database WHERE datname = $1',
      [name],
    )
    return rows[0].many
  }

  test('an answer of a transaction that takes longer than its key is kept is kept for who waits for it', async () => {
    const short = createIdempotency({ store, ttl: '200ms' })
    for (const [key, work] of [
      ['fast', 'SELECT 1'],
      ['slow', 'SELECT pg_sleep(0.2)'],
    ] as const) {
      await short.transaction({ ...request, key }, async (tx) => void (await tx.query(work, [])))
    }
    const { rows } = await pool.query(
      'SELECT (expires_at - created_at)::int AS life FROM transaction_record ORDER BY created_at',
    )
    expect(rows[0].life).toBe(200)
    expect(rows[1].life).toBeGreaterThanOrEqual(220)
  })

  test('the claim, the payment and the answer are one commit', async () => {
    const ours = await commitsEach('commits_of_ours', (own, n) =>
      createIdempotency({ store: postgresStore({ pool: own }) }).transaction(
        { ...request, key: `k${n}` },
        (tx) => tx.query(pay, []).then(() => 'paid'),
      ),
    )
    expect(ours).toBe(1)
    const apart = await commitsEach('commits_apart', (own, n) =>
      createIdempotency({ store: postgresStore({ pool: own }) }).run({ ...request, key: `k${n}` }, () =>
        own.query(pay).then(() => 'paid'),
      ),
    )
    expect(apart).toBe(3)
  })

  test('the key costs no round trip: its claim goes along with BEGIN, its answer with COMMIT', async () => {
    const own = openPool(server.url, 1)
    let answers = 0
    own.on('connect', (client) => {
      Reflect.get(client, 'connection').on('readyForQuery', () => answers++)
    })
    const paying = createIdempotency({ store: postgresStore({ pool: own, table: 'transaction_record' }) })
    const pays = async (key: string): Promise<number> => {
      const before = answers
      await paying.transaction({ ...request, key }, (tx) => tx.query(pay, []).then(() => 'paid'))
      return answers - before
    }
    // The first time each statement is prepared by itself, the connection's own beginning aside.
    await pays('first')
    expect(await pays('second')).toBe(3)
    expect(await payments()).toBe(2)
    expect((await store.list({ limit: 10 })).map(({ state }) => state)).toEqual(['completed', 'completed'])
    // A replay begins, looks and ends.
    expect(await pays('second')).toBe(3)
    expect(await payments()).toBe(2)
    await own.end()
  })

  test('an answer that cannot be written takes the payment with it, though the commit was sent along', async () => {
    const paid = await idempotency.transaction(request, async (tx) => {
      await tx.query(pay, [])
      // Somebody who holds to no lock, the first time.
      await store.complete(
        (await store.claim({ ...(await claimOfRequest()), owner: 'rival', id: 'rival' })).record,
        Buffer.from('\0{"value":"rival"}'),
      )
      return 'paid'
    })
    expect(paid).toMatchObject({ value: 'rival', replayed: true })
    expect(await payments()).toBe(0)
  })

  /** As the store was asked, by a transaction that came to nothing. */
  async function claimOfRequest(): Promise<ClaimRequest> {
    const claims: ClaimRequest[] = []
    const spied = createIdempotency({
      store: Object.assign(Object.create(store), {
        claim: (claim: ClaimRequest) => {
          claims.push(claim)
          return Promise.reject(new Error('only asked'))
        },
      }),
    })
    await spied.run(request, async () => '').catch(() => {})
    const [claim] = claims
    if (claim === undefined) throw new Error('there was no claim')
    return claim
  }

  test('a payment that fails takes the claim with it, and the key is as new', async () => {
    const failing = idempotency.transaction(request, async (tx) => {
      await tx.query(pay, [])
      throw new RangeError('no')
    })
    await expect(failing).rejects.toThrow(RangeError)
    expect(await payments()).toBe(0)
    const { replayed } = await idempotency.transaction(request, (tx) => tx.query(pay, []).then(() => 'paid'))
    expect(replayed).toBe(false)
    expect(await payments()).toBe(1)
  })

  test('a backend that is killed in between leaves nothing; the next one pays once', async () => {
    const killed = idempotency.transaction(request, async (tx) => {
      await tx.query(pay, [])
      const result = await tx.query('SELECT pg_backend_pid() AS pid', [])
      await pool.query('SELECT pg_terminate_backend($1)', [pidOf(result)])
      return 'paid'
    })
    expect(await codeOf(killed)).not.toBe('none')
    expect(await payments()).toBe(0)
    // A backend tells that it is killed before it lets go of the key.
    const run = (): Promise<{ replayed: boolean }> =>
      idempotency.transaction({ ...request, wait: '20s' }, (tx) => tx.query(pay, []).then(() => 'paid'))
    expect((await run()).replayed).toBe(false)
    expect((await run()).replayed).toBe(true)
    expect(await payments()).toBe(1)
  })

  test('an error that the work hides does not pass for a commit', async () => {
    const hidden = idempotency.transaction(request, async (tx) => {
      await tx.query(pay, [])
      await tx.query('SELECT 1 / 0', []).then(undefined, () => 'hidden')
      return 'paid'
    })
    expect(await codeOf(hidden)).not.toBe('none')
    expect(await payments()).toBe(0)
  })

  test('a rival is told so at once, and its transaction goes on; one that waits has the answer', async () => {
    const begun = Promise.withResolvers<void>()
    const end = Promise.withResolvers<void>()
    const first = idempotency.transaction(request, async (tx) => {
      await tx.query(pay, [])
      begun.resolve()
      await end.promise
      return 'paid'
    })
    await begun.promise
    expect(await codeOf(idempotency.transaction(request, async () => 'twice'))).toBe('in_use')
    const rival = await pool.connect()
    await rival.query('BEGIN')
    const waited = idempotency.within(rival).run({ ...request, wait: 20 }, async () => 'twice')
    expect(await codeOf(waited)).toBe('in_use')
    expect((await rival.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    expect((await rival.query('SHOW lock_timeout')).rows).toEqual([{ lock_timeout: '0' }])
    await rival.query('COMMIT')
    rival.release()
    const waiting = idempotency.transaction({ ...request, wait: '20s' }, async () => 'twice')
    end.resolve()
    expect(await first).toMatchObject({ value: 'paid', replayed: false })
    expect(await waiting).toMatchObject({ value: 'paid', replayed: true })
    expect(await payments()).toBe(1)
  })

  test('of 20 at once one pays, in transactions of pg and of postgres', async () => {
    const values = await Promise.all([
      ...Array.from({ length: 10 }, () =>
        idempotency.transaction({ ...request, wait: '20s' }, (tx) => tx.query(pay, []).then(() => 'paid')),
      ),
      ...Array.from({ length: 10 }, () =>
        sql.begin((tx) =>
          createIdempotency({ store: postgresStore({ pool: sql, table: 'transaction_record' }) })
            .within({ query: (text, params) => tx.unsafe(text, params as never[]) })
            .run({ ...request, wait: '20s' }, () => tx.unsafe(pay).then(() => 'paid')),
        ),
      ),
    ])
    expect(values.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, () => 'paid'))
    expect(values.filter(({ replayed }) => !replayed)).toHaveLength(1)
    expect(await payments()).toBe(1)
  })

  test('who gets the lock of a key in the moment of a commit sees what was committed', async () => {
    // Stands before PostgreSQL's own function, and is held up where its statement has begun.
    await pool.query(`CREATE SCHEMA IF NOT EXISTS held_up`)
    await pool.query(`CREATE OR REPLACE FUNCTION held_up.pg_try_advisory_xact_lock(asked bigint) RETURNS boolean
      LANGUAGE sql AS $$ SELECT pg_advisory_lock(4242); SELECT pg_catalog.pg_try_advisory_xact_lock(asked) $$`)
    const clients = [await pool.connect(), await pool.connect(), await pool.connect()] as const
    const [gate, first, second] = clients
    try {
      await gate.query('SELECT pg_advisory_lock(4242)')
      await first.query('BEGIN')
      await idempotency.within(first).run(request, () => first.query(pay).then(() => 'paid'))
      await second.query('SET search_path = held_up, pg_catalog, public')
      await second.query('BEGIN')
      const late = idempotency.within(second).run(request, async () => 'twice')
      await eventually(async () => {
        const waiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4242 AND NOT granted`
        return (await gate.query(waiting)).rowCount === 1
      })
      await first.query('COMMIT')
      await gate.query('SELECT pg_advisory_unlock(4242)')
      expect(await late).toMatchObject({ value: 'paid', replayed: true })
    } finally {
      for (const client of clients) client.release(true)
    }
  })

  test('a transaction of the user is committed, or not, by the user alone', async () => {
    for (const end of ['ROLLBACK', 'COMMIT'] as const) {
      const tx = await pool.connect()
      await tx.query('BEGIN')
      const { replayed } = await idempotency.within(tx).run(request, async () => {
        await tx.query(pay)
        return 'paid'
      })
      expect(replayed).toBe(false)
      await tx.query(end)
      tx.release()
      expect(await payments()).toBe(end === 'COMMIT' ? 1 : 0)
    }
    const found = await idempotency.run(request, async () => 'twice')
    expect(found).toMatchObject({ value: 'paid', replayed: true })
  })

  test.each(['REPEATABLE READ', 'SERIALIZABLE'])(
    'a transaction at %s that does not see the answer pays nothing, and says that it is to begin again',
    async (level) => {
      const attempt = async (between: () => Promise<unknown>): Promise<string> => {
        const tx = await pool.connect()
        try {
          await tx.query(`BEGIN ISOLATION LEVEL ${level}`)
          await tx.query('SELECT count(*) FROM payment')
          await between()
          const { replayed } = await idempotency.within(tx).run(request, async () => {
            await tx.query(pay)
            return 'paid'
          })
          await tx.query('COMMIT')
          return replayed ? 'replayed' : 'executed'
        } catch (error) {
          await tx.query('ROLLBACK')
          return isIdempotencyError(error) ? `${error.code}, retryable: ${error.retryable}` : String(error)
        } finally {
          tx.release()
        }
      }
      const rival = (): Promise<unknown> => idempotency.run(request, async () => 'another')
      expect(await attempt(rival)).toBe('in_use, retryable: true')
      expect(await payments()).toBe(0)
      expect(await attempt(async () => {})).toBe('replayed')
    },
  )

  test('where the server takes every statement for SERIALIZABLE, 40 at once collide and none fails', async () => {
    const own = openPool(`${server.url}?options=-c%20default_transaction_isolation%3Dserializable`, 8)
    const each = createIdempotency({ store: postgresStore({ pool: own, table: 'transaction_record' }) })
    expect((await own.query('SHOW transaction_isolation')).rows).toEqual([
      { transaction_isolation: 'serializable' },
    ])
    let executed = 0
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        each.run({ ...request, key: `k${n % 4}`, wait: '20s' }, async () => ++executed && n % 4),
      ),
    )
    expect(outcomes.map(({ value }) => value)).toEqual(Array.from({ length: 40 }, (_, n) => n % 4))
    expect(executed).toBe(4)
    await own.end()
  })

  test('work whose error the user swallows leaves the key as new', async () => {
    const tx = await pool.connect()
    await tx.query('BEGIN')
    const failing = idempotency.within(tx).run(request, () => Promise.reject(new RangeError('no')))
    await expect(failing).rejects.toThrow(RangeError)
    await tx.query('COMMIT')
    tx.release()
    expect(await idempotency.run(request, async () => 'new')).toMatchObject({ replayed: false })
  })
})

function pidOf(result: unknown): unknown {
  const rows: unknown = Reflect.get(Object(result), 'rows')
  return Array.isArray(rows) ? rows[0]?.pid : undefined
}
