import { Buffer } from 'node:buffer'
import { eventually } from '@loadbearing/harness/faults'
import type { Service } from '@loadbearing/harness/services'
import type { IdempotencyRecord, IdempotencyStore } from '@loadbearing/stripe-idempotency'
import { type RedisClient, redisStore } from '@loadbearing/stripe-idempotency/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onRedis } from './on-redis.ts'
import { claimOf } from './redis-claim.ts'
import { compares, comparing } from './redis-comparing.ts'
import { commandsOf } from './redis-state.ts'

onRedis('a record', (redisServer) => {
  let server: Service
  let ioredis: Redis
  let nodeRedis: ReturnType<typeof createClient>
  let n = 0

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

  const clients: readonly (readonly [string, () => RedisClient, () => Promise<boolean> | boolean])[] = [
    ['ioredis', () => ioredis, () => compares(ioredis)],
    ['node-redis', () => nodeRedis, () => compares(ioredis)],
    ['a SET that compares', () => comparing(ioredis), () => true],
  ]

  /** Whether a record that was claimed by a single `SET` is completed without a script, after what is between. */
  async function isSet(
    store: IdempotencyStore,
    between: (record: IdempotencyRecord) => unknown = () => {},
  ): Promise<boolean> {
    const { byScript } = await eventually(async () => {
      // It tells its clock, which on a busy machine may be too long ago for the next.
      await store.claim(claimOf(`told ${n}`))
      const scriptsBefore = await scriptsRun()
      const { record } = await store.claim(claimOf(`k ${n++}`))
      if ((await scriptsRun()) > scriptsBefore) return undefined
      await between(record)
      const scripts = await scriptsRun()
      const answer = Buffer.from([n % 256, 255])
      expect(await store.complete(record, answer)).toBe(true)
      const ran = (await scriptsRun()) - scripts
      const found = await store.find(record.scope, record.key)
      expect(found).toMatchObject({
        id: record.id,
        owner: record.owner,
        state: 'completed',
        response: answer,
      })
      expect(await ioredis.pexpiretime(keyOf(record))).toBe(record.expiresAt)
      return { byScript: ran > 0 }
    })
    return !byScript
  }

  async function scriptsRun(): Promise<number> {
    return (await commandsOf(ioredis)).get('evalsha') ?? 0
  }

  test.each(clients)('is completed by a SET that compares, through %s', async (_, clientOf, expected) => {
    await using store = await redisStore({ client: clientOf(), prefix: 'same:' })
    // Whether the server compares is known from the first.
    await isSet(store)
    expect(await isSet(store)).toBe(await expected())
  })

  test.each(clients)('and by a script where it was written since, through %s', async (_, clientOf) => {
    await using store = await redisStore({ client: clientOf(), prefix: 'same:' })
    expect(await isSet(store, (record) => store.renew(record, 90_000))).toBe(false)

    const ended = new AbortController()
    let told: Promise<void> | undefined
    const awaited = async (record: IdempotencyRecord): Promise<void> => {
      told = store.watch?.(record, ended.signal)
      await eventually(async () => (await ioredis.getrange(keyOf(record), 1, 1)) === 'a')
    }
    expect(await isSet(store, awaited)).toBe(false)
    await told
  })

  test.each(clients)('is not completed by a holder that has lost it, through %s', async (_, clientOf) => {
    await using store = await redisStore({ client: clientOf(), prefix: 'same:' })
    await isSet(store)
    const { record } = await store.claim(claimOf(`lost ${n}`))
    await store.leave(record)
    const next = await store.claim(claimOf(`lost ${n++}`))
    expect(next.claimed).toBe(true)
    expect(await store.complete(record, Buffer.from('late'))).toBe(false)
    expect(await store.complete(next.record, Buffer.from('in time'))).toBe(true)
    expect(await store.find(record.scope, record.key)).toMatchObject({ response: Buffer.from('in time') })
  })
})

function keyOf({ scope, key }: IdempotencyRecord): string {
  return `same:{${Buffer.from(scope).toString('base64url')}:${key}}`
}
