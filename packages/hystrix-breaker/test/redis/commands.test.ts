import { once } from 'node:events'
import { eventually, tcpProxy } from '@loadbearing/harness/faults'
import { redis, skipWithout } from '@loadbearing/harness/services'
import { type Breaker, InvalidOptionError, Registry } from '@loadbearing/hystrix-breaker'
import {
  type GuardableClient,
  guardRedis,
  isServerFailure,
  type KeyedBreakerOptions,
  type RedisBreakerOptions,
} from '@loadbearing/hystrix-breaker/redis-commands'
import { Redis } from 'ioredis'
import { createClient, createSentinel } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { steppedClock } from '../stream/stepped-clock.ts'
import { ioredis5, redis5 } from './older-clients.ts'

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

/** The same client in both libraries, for what is asked of both. */
interface Client extends AsyncDisposable {
  readonly client: GuardableClient
  connect(): Promise<unknown>
  set(key: string, value: string): Promise<unknown>
  get(key: string): Promise<unknown>
  lpush(key: string, value: string): Promise<unknown>
  multi(key: string): Promise<unknown>
  pipeline(key: string): Promise<unknown>
}

function ioredis(url: string, enableAutoPipelining = false, Client = Redis): Client {
  const client = new Client(url, {
    lazyConnect: true,
    retryStrategy: () => 5,
    maxRetriesPerRequest: 1,
    enableAutoPipelining,
  })
  client.on('error', () => {})
  return {
    client,
    connect: () => client.connect(),
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    lpush: (key, value) => client.lpush(key, value),
    multi: (key) => client.multi().set(key, 'm').get(key).exec(),
    pipeline: (key) => client.pipeline().set(key, 'p').lpush(key, 'wrong').get(key).exec(),
    async [Symbol.asyncDispose]() {
      client.disconnect()
    },
  }
}

function nodeRedis(url: string, create = createClient): Client {
  const client = create({ url, disableOfflineQueue: true, socket: { reconnectStrategy: 5 } })
  client.on('error', () => {})
  return {
    client,
    connect: () => client.connect(),
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    lpush: (key, value) => client.lPush(key, value),
    multi: (key) => client.multi().set(key, 'm').get(key).exec(),
    pipeline: (key) => client.multi().set(key, 'p').get(key).execAsPipeline(),
    async [Symbol.asyncDispose]() {
      client.destroy()
    },
  }
}

describe.skipIf(skipWithout('redis'))('commands of Redis', () => {
  let server: Awaited<ReturnType<typeof redis>>
  beforeAll(async () => {
    server = await redis({ name: 'breaker-commands' })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  async function guarded(make: (url: string) => Client, options: KeyedBreakerOptions = {}) {
    const proxy = await tcpProxy({ target: server.url })
    const clock = steppedClock()
    const registry = new Registry()
    const it = make(proxy.url)
    const stop = guardRedis(it.client, {
      registry,
      name: 'store',
      options: { volumeThreshold: 2, sleepWindow: 1000, clock, ...options },
    })
    await it.connect()
    return {
      ...it,
      proxy,
      clock,
      registry,
      stop,
      get breaker(): Breaker {
        const found = registry.get('store')
        if (found === undefined) throw new TypeError('There is no breaker')
        return found
      },
      async [Symbol.asyncDispose]() {
        await it[Symbol.asyncDispose]()
        await proxy[Symbol.asyncDispose]()
      },
    }
  }

  describe.each([
    ['ioredis', (url: string) => ioredis(url)],
    ['ioredis that makes pipelines', (url: string) => ioredis(url, true)],
    ['node-redis', (url: string) => nodeRedis(url)],
    ['ioredis 5', (url: string) => ioredis(url, false, ioredis5.Redis)],
    ['ioredis 5 that makes pipelines', (url: string) => ioredis(url, true, ioredis5.Redis)],
    ['node-redis 5', (url: string) => nodeRedis(url, redis5.createClient)],
  ])('of %s', (name, make) => {
    // Of a pipeline the errors of single commands are among its answers.
    const isPipelined = name.endsWith('pipelines')
    test('a server that is gone opens the circuit; the client connects again beside it; a probe closes it', async () => {
      await using it = await guarded(make)
      const key = `${name}:gone`
      expect(await it.set(key, '1')).toBe('OK')
      expect(it.breaker.counts).toMatchObject({ total: 1, failures: 0 })
      it.proxy.refuse()
      it.proxy.reset()
      for (let n = 0; n < 3 && it.breaker.state === 'closed'; n++)
        expect(await codeOf(it.get(key))).not.toBe(undefined)
      expect(it.breaker.state).toBe('open')
      expect(await codeOf(it.get(key))).toBe('CIRCUIT_OPEN')
      expect(await codeOf(it.multi(key))).toBe('CIRCUIT_OPEN')
      expect(await codeOf(it.pipeline(key))).toBe('CIRCUIT_OPEN')
      await it.proxy.heal()
      const isReady = (): boolean =>
        Reflect.get(it.client, 'status') === 'ready' || Reflect.get(it.client, 'isReady') === true
      await eventually(isReady, { what: 'the client to be back while the circuit is open' })
      expect(await codeOf(it.get(key))).toBe('CIRCUIT_OPEN')
      it.clock.advance(1000)
      expect(await it.get(key)).toBe('1')
      expect(it.breaker.state).toBe('closed')
    })

    test('what Redis says of a command counts neither way, what it says of itself counts', async () => {
      await using it = await guarded(make)
      const key = `${name}:wrong`
      await it.set(key, '1')
      for (let n = 0; n < 3; n++) expect(await codeOf(it.lpush(key, 'x'))).toMatch(/^WRONGTYPE/)
      const [SUCCESS, BAD_REQUEST] = isPipelined ? [4, 0] : [1, 3]
      expect(it.breaker.metrics.total()).toMatchObject({ SUCCESS, BAD_REQUEST, FAILURE: 0 })
      const admin = new Redis(server.url)
      await admin.config('SET', 'maxmemory', '1')
      try {
        expect(await codeOf(it.set(key, '2'))).toMatch(/^OOM/)
      } finally {
        await admin.config('SET', 'maxmemory', '0')
        admin.disconnect()
      }
      expect(it.breaker.metrics.total().FAILURE).toBe(1)
    })

    test('a pipeline and a transaction are a call each', async () => {
      await using it = await guarded(make, { volumeThreshold: 99 })
      const key = `${name}:chain`
      expect(await it.multi(key)).toEqual(
        name.startsWith('ioredis')
          ? [
              [null, 'OK'],
              [null, 'm'],
            ]
          : ['OK', 'm'],
      )
      expect(JSON.stringify(await it.pipeline(key))).toMatch(/OK.*"p"/)
      expect(it.breaker.metrics.total()).toMatchObject({ SUCCESS: 2, FAILURE: 0 })
      expect(it.breaker.calls.running).toBe(0)
    })

    test('a pipeline and a transaction that break count', async () => {
      await using it = await guarded(make)
      const key = `${name}:broken`
      it.proxy.refuse()
      it.proxy.reset()
      await Promise.allSettled([it.multi(key), it.pipeline(key)])
      expect(it.breaker.metrics.total()).toMatchObject({ SUCCESS: 0, FAILURE: 2 })
      expect(it.breaker.state).toBe('open')
    })

    test('a full bulkhead, a time limit, and what is taken away again', async () => {
      await using it = await guarded(make, { timeout: 300, bulkhead: { max: 1 }, volumeThreshold: 1 })
      const key = `${name}:full`
      it.proxy.bandwidth(0, { direction: 'upstream' })
      const slow = codeOf(it.get(key))
      // Of its own pipelines ioredis has one at a time.
      if (!isPipelined) expect(await codeOf(it.get(key))).toBe('BULKHEAD_FULL')
      await eventually(() => it.registry.get('store')?.calls.running === 1)
      it.clock.advance(300)
      expect(await slow).toBe('TIMEOUT')
      expect(it.breaker.state).toBe('open')
      await it.proxy.heal()
      it.stop()
      await eventually(() => it.breaker.calls.running === 0, { what: 'the late answer' })
      expect(await it.set(key, 'free')).toBe('OK')
    })
  })

  const ioredisClients = [
    { name: 'ioredis', Client: Redis },
    { name: 'ioredis 5', Client: ioredis5.Redis },
  ]

  test.each(ioredisClients)(
    '$name: commands of one turn that it sends as one pipeline are one call',
    async ({ Client }) => {
      await using it = await guarded((url) => ioredis(url, true, Client))
      const client = it.client as Redis
      const answers = [client.set('auto', '1'), client.get('auto'), codeOf(client.lpush('auto', 'x'))]
      expect(await Promise.all(answers)).toEqual(['OK', '1', expect.stringMatching(/^WRONGTYPE/)])
      expect(it.breaker.metrics.total()).toMatchObject({ SUCCESS: 1, FAILURE: 0 })
      it.breaker.force('forced-open')
      expect(await Promise.all([1, 2, 3].map(() => codeOf(client.get('auto'))))).toEqual(
        Array(3).fill('CIRCUIT_OPEN'),
      )
      expect(it.breaker.metrics.total()).toMatchObject({ SHORT_CIRCUITED: 1 })
      it.breaker.reset()
      expect(await client.get('auto')).toBe('1')
    },
  )

  test.each(ioredisClients)(
    '$name: subscriptions, scripts, callbacks, and a transaction without a pipeline',
    async ({ Client }) => {
      await using it = await guarded((url) => ioredis(url, false, Client))
      const client = it.client as Redis
      client.defineCommand('twice', { numberOfKeys: 0, lua: 'return ARGV[1] * 2' })
      expect(await (client as unknown as { twice(n: number): Promise<number> }).twice(21)).toBe(42)
      const { promise: set, resolve: toldOfSet } = Promise.withResolvers<unknown>()
      void client.set('io:callback', '1', (_, result) => toldOfSet(result))
      expect(await set).toBe('OK')
      const { promise: piped, resolve: toldOfPipeline } = Promise.withResolvers<unknown>()
      void client
        .pipeline()
        .get('io:callback')
        .exec((_, result) => toldOfPipeline(result))
      expect(await piped).toEqual([[null, '1']])
      await client.multi({ pipeline: false })
      it.breaker.force('forced-open')
      expect(await client.set('io:transaction', '1')).toBe('QUEUED')
      expect(await client.exec()).toEqual([[null, 'OK']])
      expect(await codeOf(client.get('io:transaction'))).toBe('CIRCUIT_OPEN')
      const { promise: refused, resolve: toldOfRefusal } = Promise.withResolvers<unknown>()
      client.get('io:callback', (error) => toldOfRefusal(error)).catch(() => {})
      expect(await refused).toMatchObject({ code: 'CIRCUIT_OPEN' })
      expect(await codeOf(client.pipeline().get('x').exec())).toBe('CIRCUIT_OPEN')
      await client.subscribe('io:channel')
      const told = once(client, 'message')
      const other = new Redis(server.url)
      await other.publish('io:channel', 'hello')
      expect(await told).toEqual(['io:channel', 'hello'])
      other.disconnect()
    },
  )

  test.each([
    ['node-redis', createClient],
    ['node-redis 5', redis5.createClient],
  ])('%s: options of a command, and an abort of its caller', async (_, create) => {
    await using it = await guarded((url) => nodeRedis(url, create))
    const client = it.client as ReturnType<typeof createClient>
    await client.set('node:buffer', 'x')
    const controller = new AbortController()
    controller.abort()
    expect(await codeOf(client.withAbortSignal(controller.signal).get('node:buffer'))).toMatch(/aborted/)
    expect(it.breaker.metrics.total()).toMatchObject({ SUCCESS: 1, BAD_REQUEST: 1, FAILURE: 0 })
  })

  test('the name of the breaker has no password', async () => {
    const { host } = new URL(server.url)
    const registry = new Registry()
    const made = [
      new Redis(server.url, { db: 3 }),
      createClient({ url: `redis://someone:secret@${host}/4` }),
      createClient({ socket: { host: '127.0.0.1', port: 7 }, database: 5, password: 'secret' }),
      createClient(),
    ]
    for (const client of made) {
      client.on('error', () => {})
      guardRedis(client, { registry })
    }
    const [first, , , last] = made
    await first?.get('x')
    await codeOf((last as ReturnType<typeof createClient>).get('x'))
    for (const client of made.slice(1, 3)) await codeOf((client as ReturnType<typeof createClient>).get('x'))
    expect([...registry].map(({ name }) => name)).toEqual([
      `redis://${host}/3`,
      'redis',
      `redis://${host}/4`,
      'redis://127.0.0.1:7/5',
    ])
    await first?.disconnect()
  })
})

class ReplyError extends Error {}

test.each([
  ['LOADING Redis is loading the dataset in memory', true],
  ["READONLY You can't write against a read only replica.", true],
  ['CLUSTERDOWN The cluster is down', true],
  ['WRONGTYPE Operation against a key holding the wrong kind of value', false],
  ['NOSCRIPT No matching script.', false],
  ['ERR unknown command', false],
  ['__proto__ x', false],
])('%s', (message, is) => {
  expect(isServerFailure(new ReplyError(message))).toBe(is)
})

test.each([
  [createSentinel({ name: 'x', sentinelRootNodes: [{ host: '127.0.0.1', port: 9 }] }), {}, /client must be/],
  [redis5.createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:9' }] }), {}, /client must be/],
  [
    redis5.createSentinel({ name: 'x', sentinelRootNodes: [{ host: '127.0.0.1', port: 9 }] }),
    {},
    /client must be/,
  ],
  [{ sendCommand() {} }, {}, /client must be/],
  [null, {}, /client must be .* not null/],
  [new Redis({ lazyConnect: true }), { name: 5 }, /name must be a text, not 5/],
  [new Redis({ lazyConnect: true }), { options: { timeout: 0 } }, /timeout/],
  [new Redis({ lazyConnect: true }), { strange: 1 }, /there is no "strange"/],
])('%# is refused', (client, options, message) => {
  const guard = (): unknown =>
    guardRedis(client as unknown as GuardableClient, options as unknown as RedisBreakerOptions)
  expect(guard).toThrow(InvalidOptionError)
  expect(guard).toThrow(message)
})
