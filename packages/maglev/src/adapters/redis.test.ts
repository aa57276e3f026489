import { createRequire } from 'node:module'
import { eventually } from '@loadbearing/harness/faults'
import { redis, type Service, skipWithout } from '@loadbearing/harness/services'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Maglev } from '../maglev.ts'
import * as adapter from './redis.ts'

const require = createRequire(import.meta.url)
// Its types are those of the other one.
const ioredis5: typeof import('ioredis') = require('ioredis5')

const reason = skipWithout('redis')

/** The adapter as it is where ioredis 5 is installed. */
async function onIoredis5(): Promise<typeof adapter> {
  const path = './redis.ts?ioredis5'
  vi.doMock('ioredis', () => ({ ...ioredis5 }))
  const { routeRedis }: typeof adapter = await import(path)
  vi.doUnmock('ioredis')
  return { routeRedis }
}

describe.skipIf(reason).each([
  { client: 'ioredis', load: async () => adapter },
  { client: 'ioredis 5', load: onIoredis5 },
])('keys of three Redis servers, by $client', ({ load }) => {
  let routeRedis: typeof adapter.routeRedis
  beforeAll(async () => {
    routeRedis = (await load()).routeRedis
  })

  let servers: Service[] = []
  let ids: string[] = []

  beforeAll(async () => {
    servers = await Promise.all(['one', 'two', 'three'].map((name) => redis({ name: `maglev-${name}` })))
    ids = servers.map(({ url }) => new URL(url).host)
  })
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()))
  })
  beforeEach(async () => {
    await Promise.all(servers.map((server) => server.reset()))
  })

  /** What a server holds, asked of it without the router. */
  async function keysOf(id: string): Promise<string[]> {
    const client = new Redis(`redis://${id}`)
    try {
      return (await client.keys('*')).toSorted()
    } finally {
      client.disconnect()
    }
  }

  /** A key of each server. */
  function keyOf(lb: Maglev, id: string, prefix = 'key'): string {
    for (let n = 0; ; n++) if (lb.lookup(`${prefix}:${n}`) === id) return `${prefix}:${n}`
  }

  test('each key is stored where Maglev says, and found again', async () => {
    const lb = new Maglev(ids)
    await using router = routeRedis(lb)
    const keys = Array.from({ length: 60 }, (_, n) => `user:${n}`)
    await Promise.all(keys.map((key) => router.set(key, `value of ${key}`)))
    for (const id of ids) {
      const expected = keys.filter((key) => lb.lookup(key) === id).toSorted()
      expect(expected.length).toBeGreaterThan(5)
      expect(await keysOf(id)).toEqual(expected)
    }
    expect(await Promise.all(keys.map((key) => router.get(key)))).toEqual(
      keys.map((key) => `value of ${key}`),
    )
    expect(await router.getBuffer('user:1')).toEqual(Buffer.from('value of user:1'))
    expect(await router.call('GET', 'user:2')).toBe('value of user:2')
    expect(await router.get(Buffer.from('user:3'))).toBe('value of user:3')
    const answered = new Promise((resolve) => {
      void router.get('user:4', (error, value) => resolve([error, value]))
    })
    expect(await answered).toEqual([null, 'value of user:4'])
  })

  test('keys of one command must share a node, which hash tags see to', async () => {
    const lb = new Maglev(ids)
    await using router = routeRedis(lb)
    const apart = ids.map((id) => keyOf(lb, id))
    await expect(router.mget(apart)).rejects.toMatchObject({ code: 'CROSS_BACKEND' })
    await expect(router.mset(Object.fromEntries(apart.map((key) => [key, '1'])))).rejects.toMatchObject({
      code: 'CROSS_BACKEND',
    })
    await expect(router.eval('return 1', 2, apart[0] ?? '', apart[1] ?? '')).rejects.toMatchObject({
      code: 'CROSS_BACKEND',
    })
    await expect(router.call('mget', apart)).rejects.toMatchObject({ code: 'CROSS_BACKEND' })
    expect((await Promise.all(ids.map(keysOf))).flat()).toEqual([])

    expect(await router.mset({ '{a}:1': 'x', '{a}:2': 'y' })).toBe('OK')
    expect(await router.mget('{a}:1', 'b{a}:2', '{a}:2')).toEqual(['x', null, 'y'])
    expect(await router.eval('return redis.call("get", KEYS[1])', 1, '{a}:1')).toBe('x')
    expect(await keysOf(lb.lookup('a') ?? '')).toEqual(['{a}:1', '{a}:2'])
    // An empty tag is none.
    expect(router.nodeOf('{}a')).toBe(router.node(lb.lookup('{}a') ?? ''))
  })

  test('a command without keys is refused', async () => {
    await using router = routeRedis(new Maglev(ids))
    await expect(router.dbsize()).rejects.toMatchObject({ code: 'NO_KEY' })
    await expect(router.flushall()).rejects.toMatchObject({ code: 'NO_KEY' })
    await expect(router.eval('return 1', 0)).rejects.toMatchObject({ code: 'NO_KEY' })
    expect(await router.node(ids[0] ?? '').ping()).toBe('PONG')
  })

  test('a pipeline goes to all its nodes and answers in the order of its commands', async () => {
    const lb = new Maglev(ids)
    await using router = routeRedis(lb)
    const keys = Array.from({ length: 30 }, (_, n) => `item:${n}`)
    const pipeline = router.pipeline()
    for (const [n, key] of keys.entries()) pipeline.set(key, n).incr(key)
    pipeline.lpush('item:0', 'not a list')
    expect(pipeline.length).toBe(61)
    const answers = await pipeline.exec()
    expect(answers?.slice(0, 60)).toEqual(
      keys.flatMap((_, n) => [
        [null, 'OK'],
        [null, n + 1],
      ]),
    )
    expect(answers?.[60]?.[0]?.message).toMatch(/WRONGTYPE/)
    expect(() => router.pipeline().mget(ids.map((id) => keyOf(lb, id)))).toThrow(
      expect.objectContaining({ code: 'CROSS_BACKEND' }),
    )
  })

  test('a node that is taken out before exec fails its own commands alone', async () => {
    const lb = new Maglev(ids)
    await using router = routeRedis(lb)
    const [gone = '', stays = ''] = ids
    const pipeline = router.pipeline().set(keyOf(lb, gone), 'x').set(keyOf(lb, stays), 'y')
    lb.remove(gone)
    const answers = await pipeline.exec()
    expect(answers?.[0]?.[0]).toMatchObject({ code: 'UNKNOWN_BACKEND' })
    expect(answers?.[1]).toEqual([null, 'OK'])
  })

  test('a transaction is one of a single node', async () => {
    const lb = new Maglev(ids)
    await using router = routeRedis(lb)
    expect(await router.multi().set('{t}:1', 'x').incr('{t}:2').exec()).toEqual([
      [null, 'OK'],
      [null, 1],
    ])
    const [one = '', two = ''] = ids.map((id) => keyOf(lb, id))
    expect(() => router.multi().set(one, 'x').set(two, 'y')).toThrow(
      expect.objectContaining({ code: 'CROSS_BACKEND' }),
    )
  })

  /** Until the router has noticed: commands of the lost node's keys may fail, and no others. */
  async function lose(server: Service, router: adapter.RedisRouter, lb: Maglev): Promise<void> {
    const id = new URL(server.url).host
    await router.set(keyOf(lb, id), 'before')
    await server.kill()
    await eventually(() => lb.backends.some((backend) => backend.id === id && backend.health === 'unhealthy'))
  }

  test('the keys of a node that dies go elsewhere, and come back with it', async () => {
    const lb = new Maglev(ids)
    await using router = routeRedis(lb, { redis: { retryStrategy: () => 20 } })
    const before = new Map(Array.from({ length: 100 }, (_, n) => [`user:${n}`, lb.lookup(`user:${n}`)]))
    const [server] = servers
    const [dead = ''] = ids
    if (server === undefined) throw new Error('no server')
    const key = keyOf(lb, dead)
    await lose(server, router, lb)
    for (const [each, owner] of before) if (owner !== dead) expect(lb.lookup(each)).toBe(owner)
    expect(await router.set(key, 'elsewhere')).toBe('OK')
    expect(await keysOf(lb.lookup(key) ?? '')).toContain(key)

    await server.restart()
    await eventually(() => lb.lookup(key) === dead)
    expect(await router.get(key)).toBe('before')
  })

  test('with onDisconnect fail the keys stay and their commands fail', async () => {
    const lb = new Maglev(ids)
    await using router = routeRedis(lb, { onDisconnect: 'fail', redis: { retryStrategy: () => 20 } })
    const [server] = servers
    const [dead = '', alive = ''] = ids
    const key = keyOf(lb, dead)
    await router.set(key, 'kept')
    await server?.kill()
    await expect(router.get(key)).rejects.toThrow(/Connection is closed|max retries/)
    expect(await router.set(keyOf(lb, alive), 'x')).toBe('OK')
    const pipeline = await router.pipeline().get(key).get(keyOf(lb, alive)).exec()
    expect(pipeline?.[0]?.[0]).toBeInstanceOf(Error)
    expect(pipeline?.[1]).toEqual([null, 'x'])
    await server?.restart()
    await eventually(async () => (await router.get(key).catch(() => undefined)) === 'kept')
  })

  test('a node that is taken out gets no more, and disposal ends every client', async () => {
    const lb = new Maglev(ids)
    const router = routeRedis(lb)
    const clients = ids.map((id) => router.node(id))
    await Promise.all(clients.map((client) => client.ping()))
    lb.remove(ids[0] ?? '')
    await eventually(() => clients[0]?.status === 'end')
    expect(() => router.node(ids[0] ?? '')).toThrow(expect.objectContaining({ code: 'UNKNOWN_BACKEND' }))
    await router[Symbol.asyncDispose]()
    await eventually(() => clients.every(({ status }) => status === 'end'))
    await expect(router.get('x')).rejects.toMatchObject({ code: 'POOL_CLOSED' })
  })
})

test('wrong options are refused by name', () => {
  expect(() => adapter.routeRedis(new Maglev(['a:1']), { onDisconnect: 'panic' as 'fail' })).toThrow(
    /onDisconnect/,
  )
  expect(() => adapter.routeRedis(new Maglev(['no address']))).toThrow(
    expect.objectContaining({ code: 'INVALID_BACKEND' }),
  )
})
