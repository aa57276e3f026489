import { eventually } from '@loadbearing/harness/faults'
import { postgres as postgresServer, skipWithout } from '@loadbearing/harness/services'
import { createIdempotency, type IdempotencyStore } from '@loadbearing/stripe-idempotency'
import { postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { redisStore } from '@loadbearing/stripe-idempotency/redis'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import { createClient } from 'redis'
import { describe, expect, test } from 'vitest'
import { failOnce } from './failed-request.ts'
import { ioredis5, redis5 } from './older-clients.ts'
import { onRedis } from './on-redis.ts'
import { openPool } from './pool.ts'

const request = { scope: 'acct_1', key: 'k', input: 1, wait: '30s' } as const

/** The store, counting what it is asked: one that polls is asked again and again. */
function counting(store: IdempotencyStore): {
  store: IdempotencyStore
  asked: () => number
  waiting: () => number
} {
  let asked = 0
  let waiting = 0
  const counted = new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name, target)
      if (typeof method !== 'function') return method
      return async (...given: unknown[]) => {
        if (name !== 'watch') asked++
        else waiting++
        return await Reflect.apply(method, target, given)
      }
    },
  })
  return { store: counted, asked: () => asked, waiting: () => waiting }
}

/** How many times the store was asked by one that executes and 50 that wait for it. */
async function fiftyWait(of: IdempotencyStore): Promise<number> {
  const { store, asked, waiting } = counting(of)
  const idempotency = createIdempotency({ store })
  const end = Promise.withResolvers<string>()
  const begun = Promise.withResolvers<void>()
  const first = idempotency.run(request, () => {
    begun.resolve()
    return end.promise
  })
  await begun.promise
  const others = Array.from({ length: 50 }, () => idempotency.run(request, async () => 'twice'))
  await eventually(() => waiting() === 50)
  expect(asked()).toBe(1 + 50)
  end.resolve('once')
  expect(await first).toMatchObject({ value: 'once', replayed: false })
  for (const each of await Promise.all(others)) expect(each).toMatchObject({ value: 'once', replayed: true })
  return asked()
}

describe.skipIf(skipWithout('postgres'))('waiting on PostgreSQL, by notification', () => {
  test('50 duplicates have the answer, and ask for it once', async () => {
    await using server = await postgresServer()
    const pool = openPool(server.url, 10)
    const sql = postgres(server.url, { max: 4, onnotice: () => {} })
    try {
      for (const client of [pool, sql]) {
        await using store = postgresStore({ pool: client, table: 'waiting_record' })
        await store.migrate()
        await pool.query('TRUNCATE waiting_record')
        // The first claims and completes. Each of the others claims and is told, and they look together.
        expect(await fiftyWait(store)).toBe(2 + 50 + 1)
      }
      // Nobody waits any more, so nobody listens.
      await eventually(() => pool.idleCount === pool.totalCount)
    } finally {
      await pool.end()
      await sql.end()
    }
  })

  test('the doctor finds an UNLOGGED table, and none where there is none', async () => {
    await using server = await postgresServer()
    const pool = openPool(server.url, 2)
    try {
      const store = postgresStore({ pool, table: 'doctor_record' })
      await expect(store.find('acct_1', 'k')).rejects.toMatchObject({ code: 'store_unavailable' })
      expect(await store.doctor()).toMatchObject([{ severity: 'error', subject: 'doctor_record' }])
      await store.migrate()
      await store.migrate()
      expect(await store.doctor()).toEqual([])
      await failOnce(store)
      expect(await store.doctor()).toEqual([])
      await pool.query('UPDATE doctor_record SET expires_at = 1')
      expect(await store.doctor()).toMatchObject([{ severity: 'warning', subject: 'retention' }])
      await pool.query('TRUNCATE doctor_record')
      await pool.query('ALTER TABLE doctor_record SET UNLOGGED')
      expect(await store.doctor()).toMatchObject([
        { severity: 'error', message: expect.stringContaining('UNLOGGED') },
      ])
      await pool.query('DROP TABLE doctor_record')
    } finally {
      await pool.end()
    }
  })

  test('a kill of the server keeps every key that was answered, and loses those of an UNLOGGED table', async () => {
    await using server = await postgresServer({ name: 'killed' })
    const pool = openPool(server.url, 2)
    try {
      const store = postgresStore({ pool })
      const unlogged = postgresStore({ pool, table: 'unlogged_record' })
      await store.migrate()
      await unlogged.migrate()
      await pool.query('ALTER TABLE unlogged_record SET UNLOGGED')
      const runs = (work: string, of = store): Promise<unknown[]> =>
        Promise.all(
          Array.from({ length: 20 }, (_, n) =>
            createIdempotency({ store: of }).run({ ...request, key: `k${n}` }, async () => work),
          ),
        )
      await runs('once')
      await runs('once', unlogged)
      await server.kill()
      await server.restart()
      await eventually(() => pool.query('SELECT 1'))
      for (const run of await runs('twice')) expect(run).toMatchObject({ value: 'once', replayed: true })
      // Which is why the doctor rejects it.
      expect(await unlogged.doctor()).toMatchObject([{ severity: 'error', subject: 'unlogged_record' }])
      for (const run of await runs('twice', unlogged)) expect(run).toMatchObject({ value: 'twice' })
    } finally {
      await pool.end()
    }
  })
})

onRedis('waiting by messages', (redisServer) => {
  test('50 duplicates have the answer, and ask for it once', async () => {
    await using server = await redisServer()
    const ioredis = new Redis(server.url)
    const nodeRedis = createClient({ url: server.url })
    const olderIoredis = new ioredis5.Redis(server.url)
    const olderNodeRedis = redis5.createClient({ url: server.url })
    await Promise.all([nodeRedis.connect(), olderNodeRedis.connect()])
    try {
      for (const client of [ioredis, nodeRedis, olderIoredis, olderNodeRedis]) {
        await ioredis.flushdb()
        await using store = await redisStore({ client })
        // The first claims and completes. Each of the others claims and is told, and they look together.
        expect(await fiftyWait(store)).toBe(2 + 50 + 1)
      }
      await eventually(async () => !String(await ioredis.client('LIST')).includes('sub=1'))
    } finally {
      for (const client of [ioredis, olderIoredis]) client.disconnect()
      for (const client of [nodeRedis, olderNodeRedis]) client.destroy()
    }
  })

  test('a key lives as long as its answer is kept, never as long as its lease, and scripts that are lost are sent anew', async () => {
    await using server = await redisServer()
    const client = new Redis(server.url)
    try {
      await client.flushdb()
      const idempotency = createIdempotency({ store: await redisStore({ client }), lease: 50, ttl: '1h' })
      const held = await idempotency.run(request, async () => {
        const [key = ''] = await client.keys('idempotency:*')
        await client.script('FLUSH')
        return await client.pttl(key)
      })
      expect(held.value).toBe(-1)
      const [key = ''] = await client.keys('idempotency:*')
      const left = await client.pttl(key)
      expect(left).toBeGreaterThan(3_500_000)
      expect(left).toBeLessThanOrEqual(3_600_000)
    } finally {
      client.disconnect()
    }
  })
})
