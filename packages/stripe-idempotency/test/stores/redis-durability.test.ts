import { eventually } from '@loadbearing/harness/faults'
import type { Service } from '@loadbearing/harness/services'
import { createIdempotency } from '@loadbearing/stripe-idempotency'
import { type RedisClient, redisStore } from '@loadbearing/stripe-idempotency/redis'
import { Cluster, Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { onRedis } from './on-redis.ts'
import { compares } from './redis-comparing.ts'
import { commandsOf, stateIn } from './redis-state.ts'

const request = { scope: 'acct_1', key: 'k', input: 1 } as const

onRedis('a server with a replica', (redisServer) => {
  let master: Service
  let replica: Service
  let ioredis: Redis
  let nodeRedis: ReturnType<typeof createClient>
  let copy: Redis

  beforeAll(async () => {
    master = await redisServer({ name: 'master' })
    replica = await redisServer({ name: 'replica' })
    ioredis = new Redis(master.url)
    // A replica is served at once, and not waited for at the end.
    await ioredis.config('SET', 'repl-diskless-sync-delay', '0')
    await ioredis.config('SET', 'shutdown-timeout', '0')
    copy = new Redis(replica.url)
    nodeRedis = createClient({ url: master.url })
    await nodeRedis.connect()
    await follow()
  }, 60_000)

  afterAll(async () => {
    ioredis?.disconnect()
    copy?.disconnect()
    nodeRedis?.destroy()
    await replica?.stop()
    await master?.stop()
  })

  beforeEach(async () => {
    await ioredis.flushdb()
  })

  async function follow(): Promise<void> {
    await copy.replicaof('127.0.0.1', Number(new URL(master.url).port))
    await eventually(async () => (await ioredis.info('replication')).includes('state=online'))
  }

  const clients: readonly (readonly [string, () => RedisClient])[] = [
    ['ioredis', () => ioredis],
    ['node-redis', () => nodeRedis],
  ]

  test.each(clients)('has every write before it counts, through %s', async (_, clientOf) => {
    await using idempotency = createIdempotency({
      store: await redisStore({ client: clientOf(), waitReplicas: 1 }),
    })
    const states = await idempotency.run(request, async () => {
      const [key = ''] = await copy.keys('idempotency:*')
      return stateIn(copy, key)
    })
    expect(states.value).toBe('claimed')
    const [key = ''] = await copy.keys('idempotency:*')
    expect(await stateIn(copy, key)).toBe('completed')
  })

  test.each(clients)('and is waited for behind a single SET as well, through %s', async (_, clientOf) => {
    await using idempotency = createIdempotency({
      store: await redisStore({ client: clientOf(), waitReplicas: 1 }),
    })
    let n = 0
    const run = (): Promise<unknown> => idempotency.run({ ...request, key: `k${n++}` }, async () => 'paid')
    const scriptsToComplete = (await compares(ioredis)) ? 0 : 1
    await eventually(async () => {
      // It tells its clock, which on a busy machine may be too long ago for the next.
      await run()
      await ioredis.config('RESETSTAT')
      await run()
      const commands = await commandsOf(ioredis)
      expect(commands.get('wait')).toBe(2)
      return (commands.get('evalsha') ?? 0) === scriptsToComplete
    })
  })

  test('that stands still: nothing is executed, and the key is free once it goes on', async () => {
    await using idempotency = createIdempotency({
      store: await redisStore({ client: ioredis, waitReplicas: 1, waitTimeout: 100 }),
    })
    let executed = 0
    const run = (): Promise<unknown> => idempotency.run(request, async () => ++executed)
    await replica.pause()
    try {
      await expect(run()).rejects.toMatchObject({
        code: 'store_unavailable',
        message: expect.stringContaining('waitReplicas'),
      })
      expect(executed).toBe(0)
    } finally {
      await replica.resume()
    }
    await eventually(async () => (await ioredis.keys('idempotency:*')).length === 0)
    await eventually(() => run().then(Boolean, () => false))
    expect(executed).toBe(1)
  })

  test('that stands still after the effect: the answer is true, and replayed', async () => {
    // Time enough for a replica on a busy machine, while it runs.
    const store = await redisStore({ client: ioredis, waitReplicas: 1, waitTimeout: 900 })
    await using idempotency = createIdempotency({ store, lease: '2s' })
    const first = await idempotency.run(request, async () => {
      await replica.pause()
      return 'paid'
    })
    await replica.resume()
    expect(first).toMatchObject({ value: 'paid', replayed: false })
    await follow()
    const again = await eventually(() => idempotency.run(request, async () => 'twice').catch(() => false))
    expect(again).toMatchObject({ value: 'paid', replayed: true })
  })

  test('is what the doctor asks for, and asks whether it is there', async () => {
    const waiting = await redisStore({ client: ioredis, waitReplicas: 1 })
    const alone = await redisStore({ client: ioredis })
    expect(await waiting.doctor()).toEqual([])
    expect(await alone.doctor()).toMatchObject([{ severity: 'warning', subject: 'waitReplicas' }])
    expect(await (await redisStore({ client: copy })).doctor()).toMatchObject([
      { severity: 'error', subject: 'server' },
    ])
    await copy.replicaof('NO', 'ONE')
    await eventually(async () => (await ioredis.info('replication')).includes('connected_slaves:0'))
    expect(await waiting.doctor()).toMatchObject([{ severity: 'error', subject: 'waitReplicas' }])
    expect(await alone.doctor()).toEqual([])
    await ioredis.config('SET', 'appendfsync', 'everysec')
    expect(await alone.doctor()).toMatchObject([{ severity: 'warning', subject: 'appendfsync' }])
    await ioredis.config('SET', 'appendfsync', 'always')
    await ioredis.config('SET', 'appendonly', 'no')
    expect(await alone.doctor()).toMatchObject([{ severity: 'warning', subject: 'appendonly' }])
    await ioredis.config('SET', 'appendonly', 'yes')
    await follow()
  })

  test('waits for the disk where the server can, else says which version can', async () => {
    const version = /redis_version:(\d+)\.(\d+)/.exec(await ioredis.info('server'))
    const can = Number(version?.[1]) * 100 + Number(version?.[2]) >= 702
    const store = { client: ioredis, waitAof: true, waitReplicas: 1 } as const
    const opened = redisStore(store)
    if (!can) {
      await expect(opened).rejects.toMatchObject({
        code: 'invalid_option',
        message: expect.stringContaining('Redis 7.2'),
      })
      return
    }
    // The file of a replica that has just come is written anew.
    await eventually(async () => String(await ioredis.call('WAITAOF', '1', '1', '100')) === '1,1')
    await using patient = createIdempotency({ store: await opened })
    await using idempotency = createIdempotency({ store: await redisStore({ ...store, waitTimeout: 900 }) })
    let executed = 0
    const run = (key: string, by = idempotency): Promise<unknown> =>
      by.run({ ...request, key }, async () => ++executed).then(({ value }) => value)
    expect(await run('on both disks', patient)).toBe(1)
    // Neither of the two is asked to write to its disk: what is there may be lost with its power.
    for (const [each, says] of [
      [copy, '0 replicas'],
      [ioredis, 'on disk'],
    ] as const) {
      await each.config('SET', 'appendfsync', 'no')
      await expect(run(says)).rejects.toMatchObject({
        code: 'store_unavailable',
        message: expect.stringContaining(says),
      })
      expect(await (await opened).doctor()).toMatchObject(
        each === ioredis ? [{ severity: 'error', subject: 'appendfsync' }] : [],
      )
      await each.config('SET', 'appendfsync', 'always')
    }
    expect(executed).toBe(1)
    expect(await eventually(() => run('on disk', patient).catch(() => false))).toBe(2)
  })

  test('is nothing a Cluster can be asked for', async () => {
    const cluster = new Cluster([new URL(master.url).host], { lazyConnect: true })
    await expect(redisStore({ client: cluster, waitReplicas: 1 })).rejects.toMatchObject({
      code: 'invalid_option',
    })
    cluster.disconnect()
  })
})
