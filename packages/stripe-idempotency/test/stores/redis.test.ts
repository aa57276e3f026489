import { Buffer } from 'node:buffer'
import { eventually } from '@loadbearing/harness/faults'
import type { Service } from '@loadbearing/harness/services'
import type { ClaimAnswer } from '@loadbearing/stripe-idempotency'
import { type RedisClient, redisStore } from '@loadbearing/stripe-idempotency/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ioredis5, redis5 } from './older-clients.ts'
import { onRedis } from './on-redis.ts'
import { claimOf } from './redis-claim.ts'
import { comparing } from './redis-comparing.ts'
import { commandsOf } from './redis-state.ts'
import { storeSuite } from './store-suite.ts'

onRedis('a store', (redisServer) => {
  let server: Service
  let ioredis: Redis
  let nodeRedis: ReturnType<typeof createClient>
  let olderIoredis: Redis
  let olderNodeRedis: ReturnType<typeof createClient>

  beforeAll(async () => {
    server = await redisServer()
    ioredis = new Redis(server.url)
    nodeRedis = createClient({ url: server.url })
    olderIoredis = new ioredis5.Redis(server.url)
    olderNodeRedis = redis5.createClient({ url: server.url })
    await Promise.all([nodeRedis.connect(), olderNodeRedis.connect()])
  }, 60_000)

  afterAll(async () => {
    ioredis?.disconnect()
    nodeRedis?.destroy()
    olderIoredis?.disconnect()
    olderNodeRedis?.destroy()
    await server?.stop()
  })

  const clients: readonly (readonly [string, () => RedisClient])[] = [
    ['ioredis', () => ioredis],
    ['node-redis', () => nodeRedis],
    ['ioredis 5', () => olderIoredis],
    ['node-redis 5', () => olderNodeRedis],
    ['Redis 6.2, which has no SET with NX and GET', () => without(ioredis, 'SET')],
    ['Redis 8.4 and Valkey 8.1, whose SET compares', () => comparing(ioredis)],
  ]
  for (const [name, clientOf] of clients) {
    storeSuite(
      name,
      async () => {
        let now = 0
        await ioredis.flushdb()
        const store = await redisStore({ client: clientOf(), prefix: 'suite:', clock: { now: () => now } })
        return {
          store,
          pass: (ms) => {
            now += ms
          },
          [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
        }
      },
      60,
    )
  }

  test.each(clients.slice(0, 4))(
    'through %s a claim takes one command, by the time that the server told last',
    async (_, clientOf) => {
      await using store = await redisStore({ client: clientOf(), prefix: 'told:' })
      let n = 0
      const claimNext = (): Promise<ClaimAnswer> => Promise.resolve(store.claim(claimOf(`k${n++}`)))
      // On a busy machine what the server told may be older than a second by then.
      await eventually(async () => {
        await claimNext()
        await ioredis.config('RESETSTAT')
        const before = await timeOf(ioredis)
        const { claimed, record, now } = await claimNext()
        const after = await timeOf(ioredis)
        const again = await store.claim(claimOf(record.key))
        const commands = await commandsOf(ioredis)
        expect({ claimed, again: again.claimed }).toEqual({ claimed: true, again: false })
        expect(record).toEqual(await store.find(record.scope, record.key))
        expect(again.record).toEqual(record)
        expect(now).toBeGreaterThanOrEqual(before)
        expect(now).toBeLessThanOrEqual(after + 1000)
        expect(record.leaseEnds - now).toBe(60_000)
        return commands.get('set') === 2 && !commands.has('evalsha')
      })
    },
  )

  test.each(clients)(
    'through %s a failure that left nothing expires, and not while it is tried again',
    async (_, clientOf) => {
      await ioredis.flushdb()
      await using store = await redisStore({ client: clientOf(), prefix: 'failed:' })
      const expiry = async (): Promise<number> =>
        ioredis.pexpiretime((await ioredis.keys('failed:*'))[0] ?? '')
      const { record } = await store.claim(claimOf('k'))
      expect(await store.leave(record)).toBe(true)
      expect(await expiry()).toBe(record.expiresAt)
      const again = await store.claim({ ...claimOf('k'), owner: 'the next one' })
      expect([again.claimed, again.record.fence, await expiry()]).toEqual([true, 2, -1])
    },
  )

  test.each(clients.slice(0, 4))(
    'through %s commands of one turn have an answer each, whatever becomes of the others',
    async (_, clientOf) => {
      await ioredis.flushdb()
      await using store = await redisStore({ client: clientOf(), prefix: 'turn:' })
      const keys = Array.from({ length: 600 }, (__, n) => `k${n}`)
      const { record } = await store.claim(claimOf('first'))
      const wrong = (await ioredis.keys('turn:*'))[0]?.replace('first', 'k7') ?? ''
      await ioredis.rpush(wrong, 'no record')
      const claimed = await Promise.allSettled(keys.map(async (key) => store.claim(claimOf(key))))
      expect(claimed.map(({ status }) => status)).toEqual(
        keys.map((key) => (key === 'k7' ? 'rejected' : 'fulfilled')),
      )
      // Each is answered that Redis does not know the script, and none of them is lost for it.
      await ioredis.script('FLUSH')
      const answers = claimed.map((each, n): Promise<boolean | string> | boolean | string =>
        each.status === 'fulfilled'
          ? store.complete(each.value.record, Buffer.from([n % 256, n >> 8]))
          : 'none',
      )
      const late = { ...record, owner: 'another' }
      const answerTo7 = Promise.resolve(store.complete({ ...record, key: 'k7' }, Buffer.from('7')))
      answers.push(answerTo7.catch((error: unknown) => String(error)))
      const all = await Promise.all([...answers, store.complete(late, Buffer.from('late'))])
      expect(all.splice(-2, 1)).toEqual([expect.stringContaining('WRONGTYPE')])
      expect(all).toEqual([...keys.map((key) => (key === 'k7' ? 'none' : true)), false])
      const found = await Promise.all(
        keys.map(async (key) => (key === 'k7' ? null : (await store.find('acct_1', key))?.response)),
      )
      expect(found).toEqual(keys.map((key, n) => (key === 'k7' ? null : Buffer.from([n % 256, n >> 8]))))
    },
  )

  test('a Redis that evicts is refused at the start, by the name of the setting', async () => {
    await ioredis.config('SET', 'maxmemory-policy', 'allkeys-lru')
    try {
      await expect(redisStore({ client: ioredis })).rejects.toMatchObject({
        code: 'invalid_option',
        message: expect.stringContaining('maxmemory-policy'),
      })
    } finally {
      await ioredis.config('SET', 'maxmemory-policy', 'noeviction')
    }
  })
})

/** A client of a server that does not know a command. */
function without(client: Redis, name: string): RedisClient {
  return new Proxy(client, {
    get(target, property) {
      const found: unknown = Reflect.get(target, property)
      if (typeof found !== 'function') return found
      return (...given: unknown[]): unknown =>
        property === 'callBuffer' && given[0] === name
          ? Promise.reject(new Error('ERR syntax error'))
          : Reflect.apply(found, target, given)
    },
  })
}

/** Milliseconds. */
async function timeOf(client: Redis): Promise<number> {
  const [seconds = 0, microseconds = 0] = await client.time()
  return seconds * 1000 + Math.floor(microseconds / 1000)
}
