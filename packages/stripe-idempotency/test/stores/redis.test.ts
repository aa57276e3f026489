import { redis as redisServer, type Service, skipWithout } from '@loadbearing/harness/services'
import { type RedisClient, redisStore } from '@loadbearing/stripe-idempotency/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { storeSuite } from './store-suite.ts'

const unavailable = skipWithout('redis')

describe.skipIf(unavailable)('Redis', () => {
  let server: Service
  let ioredis: Redis
  let nodeRedis: ReturnType<typeof createClient>

  beforeAll(async () => {
    server = await redisServer()
    ioredis = new Redis(server.url)
    nodeRedis = createClient({ url: server.url })
    await nodeRedis.connect()
  }, 60_000)

  afterAll(async () => {
    ioredis?.disconnect()
    nodeRedis?.destroy()
    await server?.stop()
  })

  const clients: readonly (readonly [string, () => RedisClient])[] = [
    ['ioredis', () => ioredis],
    ['node-redis', () => nodeRedis],
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
