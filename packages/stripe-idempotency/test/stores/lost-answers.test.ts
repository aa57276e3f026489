import { Buffer } from 'node:buffer'
import { eventually, type TcpProxy, tcpProxy } from '@loadbearing/harness/faults'
import { postgres as postgresServer, type Service, skipWithout } from '@loadbearing/harness/services'
import { createIdempotency, type Idempotency, isIdempotencyError } from '@loadbearing/stripe-idempotency'
import { type PostgresQuerier, postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { redisStore } from '@loadbearing/stripe-idempotency/redis'
import { Redis } from 'ioredis'
import type { Pool } from 'pg'
import postgres from 'postgres'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { onRedis } from './on-redis.ts'
import { openPool } from './pool.ts'
import { stateIn } from './redis-state.ts'

const request = { scope: 'acct_1', key: 'k', input: { amount: 5 } } as const

/** What a call came to: its value, or the code of its error. */
async function outcome(call: Promise<{ value: unknown; replayed: boolean }>): Promise<string> {
  try {
    const { value, replayed } = await call
    return `${replayed ? 'replayed' : 'executed'} ${String(value)}`
  } catch (error) {
    return isIdempotencyError(error) ? error.code : String(error)
  }
}

/** The answers of the server are lost from now on, until it has done what it was told; then the connections are. */
async function loseAnswer(proxy: TcpProxy, isDone: () => Promise<boolean>): Promise<void> {
  await eventually(isDone)
  proxy.reset()
  await proxy.heal()
}

describe.skipIf(skipWithout('postgres'))('an answer of PostgreSQL that is lost', () => {
  let server: Service
  let proxy: TcpProxy
  let direct: Pool
  let pool: Pool
  let sql: postgres.Sql
  let idempotency: Idempotency<PostgresQuerier>
  beforeAll(async () => {
    server = await postgresServer()
    proxy = await tcpProxy({ target: server.url })
    direct = openPool(server.url, 4)
    pool = openPool(proxy.url, 4)
    sql = postgres(proxy.url, { max: 1, onnotice: () => {} })
    const store = postgresStore({ pool: direct, table: 'lost_record' })
    await store.migrate()
    // What a commit of a payment waits for, once it has arrived.
    await direct.query(`CREATE TABLE IF NOT EXISTS lost_payment (id serial PRIMARY KEY, amount int NOT NULL);
      CREATE OR REPLACE FUNCTION pass_gate() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
      DROP TRIGGER IF EXISTS gate ON lost_payment;
      CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON lost_payment DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION pass_gate()`)
    idempotency = createIdempotency({
      store: postgresStore({ pool, table: 'lost_record' }),
      storeTimeout: '2s',
    })
  }, 120_000)

  afterAll(async () => {
    await pool?.end()
    await sql?.end({ timeout: 1 })
    await direct?.end()
    await proxy?.close()
    await server?.stop()
  })

  beforeEach(async () => {
    await direct.query('TRUNCATE lost_record, lost_payment')
  })

  afterEach(async () => {
    await proxy.heal()
  })

  async function payments(): Promise<number> {
    const { rows } = await direct.query('SELECT count(*)::int AS many FROM lost_payment')
    return rows[0].many
  }

  async function states(): Promise<readonly string[]> {
    const { rows } = await direct.query('SELECT state FROM lost_record')
    return rows.map(({ state }) => state)
  }

  function pay(): Promise<{ value: string; replayed: boolean }> {
    return idempotency.transaction(request, async (transaction) => {
      await transaction.query('INSERT INTO lost_payment (amount) VALUES (5)', [])
      return 'paid'
    })
  }

  /** Makes a payment whose COMMIT arrives, and is answered when nobody hears it any more. */
  async function losing(
    paying: () => Promise<string>,
    end: () => Promise<void> = () => proxy.heal(),
  ): Promise<string> {
    const gate = await direct.connect()
    try {
      await gate.query('SELECT pg_advisory_lock(42)')
      const paid = paying()
      await eventually(async () => {
        const { rows } = await direct.query(
          `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`,
        )
        return rows.length > 0
      })
      proxy.blackHole({ direction: 'downstream' })
      await gate.query('SELECT pg_advisory_unlock(42)')
      await eventually(async () => (await payments()) > 0)
      // What lost its answer is reset.
      await end()
      return await paid
    } finally {
      gate.release()
    }
  }

  test('to a COMMIT that was carried out: the call has the true answer, and has paid once', async () => {
    // It asks for the key again by itself, and finds what was committed.
    expect(await losing(() => outcome(pay()))).toBe('replayed paid')
    expect(await outcome(pay())).toBe('replayed paid')
    expect(await payments()).toBe(1)
  })

  test('to a COMMIT that never arrived: the call pays anew, once', async () => {
    let tries = 0
    const paid = idempotency.transaction(request, async (transaction) => {
      await transaction.query('INSERT INTO lost_payment (amount) VALUES (5)', [])
      if (++tries === 1) {
        proxy.blackHole({ direction: 'upstream' })
        void loseAnswer(proxy, async () => proxy.stats().open > 0)
      }
      return 'paid'
    })
    expect(await outcome(paid)).toBe('executed paid')
    expect(tries).toBe(2)
    expect(await outcome(pay())).toBe('replayed paid')
    expect(await payments()).toBe(1)
  })

  test('to a COMMIT, with no way back: the error is no answer to the key, and the next attempt has the true one', async () => {
    const end = async (): Promise<void> => {
      proxy.refuse()
      proxy.reset()
    }
    expect(await losing(() => outcome(pay()), end)).toBe('store_unavailable')
    await proxy.heal()
    expect(await outcome(pay())).toBe('replayed paid')
    expect(await payments()).toBe(1)
  })

  test('to the COMMIT of a phase: the operation goes on after it', async () => {
    const order = idempotency
      .operation<number>('order')
      .tx('paid', async (transaction, { input }) => {
        await transaction.query('INSERT INTO lost_payment (amount) VALUES ($1)', [input])
        return 'paid'
      })
      .tx('told', async (_, { prev }) => `${prev} and told`)
    const attempt = (): Promise<string> => outcome(order.execute({ scope: 'acct_1', key: 'k', input: 5 }))
    expect(await losing(attempt)).toBe('executed paid and told')
    expect(await attempt()).toBe('replayed paid and told')
    expect(await payments()).toBe(1)
  })

  test('to a completion over HTTP: the answer is sent and kept, and no 5xx is', async () => {
    const exchange = idempotency.http({ mode: 'stripe-v1' })
    let executed = 0
    const charge = async (): Promise<readonly [number, string]> => {
      const { response } = await exchange.answer(
        {
          method: 'POST',
          path: '/v1/charges',
          query: '',
          headers: [['idempotency-key', 'k']],
          body: Buffer.from('amount=5'),
        },
        'acct_1',
        async () => {
          executed++
          proxy.blackHole({ direction: 'downstream' })
          void loseAnswer(proxy, async () => (await states()).includes('completed'))
          return { status: 201, headers: [], body: Buffer.from('paid') }
        },
      )
      return [
        response.status,
        response.body instanceof Uint8Array ? Buffer.from(response.body).toString() : 'a stream',
      ]
    }
    expect(await charge()).toEqual([201, 'paid'])
    expect(await charge()).toEqual([201, 'paid'])
    expect(executed).toBe(1)
  })

  test.each(['pg', 'postgres'])('to a claim, through %s: nothing is executed, or once', async (driver) => {
    const store = postgresStore({ pool: driver === 'pg' ? pool : sql, table: 'lost_record' })
    await using own = createIdempotency({ store, storeTimeout: '2s' })
    // `postgres` asks for the types of a statement once, and sends it on the answer.
    await own.run({ ...request, key: 'connects' }, async () => 'connected')
    await direct.query('TRUNCATE lost_record')
    proxy.blackHole({ direction: 'downstream' })
    let executed = 0
    const run = (): Promise<string> => outcome(own.run(request, async () => `paid ${++executed}`))
    const first = run()
    await loseAnswer(proxy, async () => (await states()).includes('claimed'))
    expect(await first).toBe('store_unavailable')
    expect(executed).toBe(0)
    // Its owner lets go of the claim that stood, long before its lease of a minute ends.
    await eventually(async () => (await states()).length === 0)
    expect(await answered(run)).toBe('executed paid 1')
    expect(await run()).toBe('replayed paid 1')
  })

  test('for longer than the store may take: nothing is executed, and the next one finds the key free', async () => {
    await using impatient = createIdempotency({
      store: postgresStore({ pool, table: 'lost_record' }),
      storeTimeout: 100,
    })
    proxy.blackHole()
    let executed = 0
    const run = (): Promise<string> => outcome(impatient.run(request, async () => `paid ${++executed}`))
    expect(await run()).toBe('store_unavailable')
    expect(executed).toBe(0)
    proxy.reset()
    await proxy.heal()
    expect(await answered(run)).toBe('executed paid 1')
  })
})

onRedis('an answer that is lost', (redisServer) => {
  let server: Service
  let proxy: TcpProxy
  let direct: Redis

  beforeAll(async () => {
    server = await redisServer()
    proxy = await tcpProxy({ target: server.url })
    direct = new Redis(server.url)
  }, 60_000)

  afterAll(async () => {
    direct?.disconnect()
    await proxy?.close()
    await server?.stop()
  })

  beforeEach(async () => {
    await direct.flushdb()
  })

  afterEach(async () => {
    await proxy.heal()
  })

  async function states(): Promise<readonly string[]> {
    const keys = await direct.keys('idempotency:*')
    return Promise.all(keys.map((key) => stateIn(direct, key)))
  }

  /** Redis knows the scripts then. */
  async function know(idempotency: Idempotency): Promise<void> {
    await idempotency.run({ ...request, key: 'known' }, async () => 'known')
    await direct.flushdb()
  }

  // With the time given no script is needed; else it is one where the server has not told the time for a second.
  const times = [
    ['a claim by the time given', { clock: { now: () => Date.now() } }] as const,
    ['a claim', {}] as const,
  ]

  test.each(times)('to %s, through ioredis, which sends it again: it knows its own', async (_, time) => {
    const client = new Redis(proxy.url)
    client.on('error', () => {})
    try {
      await using idempotency = createIdempotency({ store: await redisStore({ client, ...time }) })
      await know(idempotency)
      let executed = 0
      const run = (): Promise<string> => outcome(idempotency.run(request, async () => `paid ${++executed}`))
      proxy.blackHole({ direction: 'downstream' })
      const first = run()
      await loseAnswer(proxy, async () => (await states()).includes('claimed'))
      expect(await first).toBe('executed paid 1')
      expect(await run()).toBe('replayed paid 1')
    } finally {
      client.disconnect()
    }
  })

  test('to a claim that took over what was left: it knows its own, and the phase is done once more', async () => {
    const client = new Redis(proxy.url)
    client.on('error', () => {})
    try {
      await using idempotency = createIdempotency({ store: await redisStore({ client }) })
      const attempts: string[] = []
      const charge = idempotency.operation<string>('charge').call('charged', {
        retention: '1h',
        run: ({ input, fence }) => {
          attempts.push(`${input} ${fence}`)
          if (fence === 1) throw new RangeError('not now')
          return 'paid'
        },
      })
      const run = (key: string): Promise<string> =>
        outcome(charge.execute({ scope: 'acct_1', key, input: key }))
      // Redis knows all the scripts then.
      expect([await run('a'), await run('a')]).toEqual(['RangeError: not now', 'executed paid'])
      expect(await run('b')).toBe('RangeError: not now')
      let commands = 0
      watch(client, 'callBuffer', () => {
        // The look at the key is answered, the takeover that follows is not.
        if (++commands === 2) proxy.blackHole({ direction: 'downstream' })
      })
      const second = run('b')
      await loseAnswer(proxy, async () => {
        const records = await (await redisStore({ client: direct })).list({ limit: 10, state: 'claimed' })
        return records.some(({ fence }) => fence === 2)
      })
      expect(await second).toBe('executed paid')
      expect(attempts).toEqual(['a 1', 'a 2', 'b 1', 'b 2'])
    } finally {
      client.disconnect()
    }
  })

  test.each(times)(
    'to %s, through node-redis, which fails it: nothing is executed, and it is let go',
    async (_, time) => {
      const client = createClient({ url: proxy.url })
      client.on('error', () => {})
      await client.connect()
      try {
        await using idempotency = createIdempotency({ store: await redisStore({ client, ...time }) })
        await know(idempotency)
        let executed = 0
        const run = (): Promise<string> => outcome(idempotency.run(request, async () => `paid ${++executed}`))
        proxy.blackHole({ direction: 'downstream' })
        const first = run()
        await loseAnswer(proxy, async () => (await states()).includes('claimed'))
        expect(await first).toBe('store_unavailable')
        expect(executed).toBe(0)
        expect(await eventually(async () => (await states()).length === 0 && run())).toBe('executed paid 1')
        expect(await run()).toBe('replayed paid 1')
      } finally {
        client.destroy()
      }
    },
  )

  test.each(['ioredis', 'node-redis'])(
    'to a completion, through %s: the answer is true, and kept',
    async (driver) => {
      const nodeRedis = createClient({ url: proxy.url })
      nodeRedis.on('error', () => {})
      const ioredis = new Redis(proxy.url)
      ioredis.on('error', () => {})
      await nodeRedis.connect()
      try {
        const store = await redisStore({ client: driver === 'ioredis' ? ioredis : nodeRedis })
        await using idempotency = createIdempotency({ store })
        const first = idempotency.run(request, async () => {
          proxy.blackHole({ direction: 'downstream' })
          void loseAnswer(proxy, async () => (await states()).includes('completed'))
          return 'paid'
        })
        expect(await outcome(first)).toBe('executed paid')
        expect(await eventually(() => outcome(idempotency.run(request, async () => 'twice')))).toBe(
          'replayed paid',
        )
      } finally {
        ioredis.disconnect()
        nodeRedis.destroy()
      }
    },
  )
})

/** Asked for again where the store was too slow, as on a busy machine, or the claim of such a try stands a little longer. */
function answered(run: () => Promise<string>): Promise<string> {
  return eventually(async () => {
    const came = await run()
    return came === 'store_unavailable' || came === 'in_use' ? undefined : came
  })
}

/** Tells of each call of a method before it is made, with its first argument. */
function watch(client: object, method: string, tell: (first: unknown) => void): void {
  const called: unknown = Reflect.get(client, method)
  if (typeof called !== 'function') throw new Error(`a client has no ${method}()`)
  Reflect.set(client, method, (...given: unknown[]): unknown => {
    tell(given[0])
    return Reflect.apply(called, client, given)
  })
}
