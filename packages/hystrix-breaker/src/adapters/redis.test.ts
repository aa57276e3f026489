import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { eventually } from '@loadbearing/harness/faults'
import { redis, type Service, skipWithout } from '@loadbearing/harness/services'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Breaker } from '../breaker.ts'
import { isResilienceError } from '../errors.ts'
import { redisShared } from './redis.ts'
import type { NodeRedisClient, NodeRedisSubscriber } from './redis-client.ts'
import { circuitKeys } from './redis-key.ts'

/** The face of node-redis 6 over a connection of ioredis: its names, its shapes of arguments. */
function nodeRedis(
  url: string,
  connection = new Redis(url, { lazyConnect: true }),
): NodeRedisClient & NodeRedisSubscriber {
  return {
    connect: () => connection.connect(),
    evalSha: (sha, options) =>
      connection.evalsha(sha, options.keys.length, ...options.keys, ...options.arguments),
    eval: (script, options) =>
      connection.eval(script, options.keys.length, ...options.keys, ...options.arguments),
    duplicate: () => nodeRedis(url),
    subscribe: (channel, listener) => {
      connection.on('message', (_, message: string) => listener(message))
      return connection.subscribe(channel)
    },
    destroy: () => connection.disconnect(),
    on: (event: string, listener: (...args: never[]) => void): unknown =>
      Reflect.apply(connection.on, connection, [event, listener]),
  }
}

function offline(): Redis {
  const client = new Redis({ port: 1, retryStrategy: () => 10, maxRetriesPerRequest: 0 })
  client.on('error', () => {})
  return client
}

describe('options', () => {
  test.each([
    [{}, 'quorum'],
    [{ quorum: 0 }, 'quorum'],
    [{ quorum: 1.5 }, 'quorum'],
    [{ quorum: Number.NaN }, 'quorum'],
    [{ quorum: 2, prefix: '{a}' }, 'prefix'],
    [{ quorum: 2, prefix: 7 }, 'prefix'],
    [{ quorum: 2, prefix: 'x'.repeat(201) }, 'prefix'],
    [{ quorum: 2, syncEvery: 0 }, 'syncEvery'],
    [{ quorum: 2, timeout: '-1s' }, 'timeout'],
    [{ quorum: 2, majority: true }, 'majority'],
    [null, 'options'],
  ])('%j names %s', (options, name) => {
    const client = new Redis({ lazyConnect: true })
    expect(() => Reflect.apply(redisShared, undefined, [client, options])).toThrow(RangeError)
    expect(() => Reflect.apply(redisShared, undefined, [client, options])).toThrow(name)
  })

  test.each([undefined, null, 'redis://127.0.0.1', {}, { eval: () => {} }])('%j is no client', (client) => {
    expect(() => Reflect.apply(redisShared, undefined, [client, { quorum: 2 }])).toThrow(
      'client must be a client of',
    )
  })
})

describe('keys', () => {
  test('a plain name stands there as it is, in braces', () => {
    expect(circuitKeys('hystrix:', 'users/v2')).toEqual({
      tag: 'users/v2',
      keys: ['hystrix:{users/v2}', 'hystrix:{users/v2}:reports', 'hystrix:{users/v2}:probe'],
    })
  })

  test('others are hashed, each to another one, and no plain name looks like a hash', () => {
    const names = [
      '',
      ' ',
      'a b',
      '}',
      '{',
      '\n',
      '\ud800',
      '\ud801',
      '\ufffd',
      'x'.repeat(129),
      'x'.repeat(10_240),
    ]
    const tags = names.map((name) => circuitKeys('', name).tag)
    expect(new Set(tags).size).toBe(names.length)
    expect(tags.every((tag) => /^#[\w-]{43}$/.test(tag))).toBe(true)
    expect(circuitKeys('', tags[0] ?? '').tag).not.toBe(tags[0])
  })
})

describe('without a server', () => {
  test('calls go on, the loss is told once, and the end does not wait', async () => {
    const client = offline()
    const shared = redisShared(client, { quorum: 2, syncEvery: 10, timeout: 50 })
    const lost: string[] = []
    const channel = 'loadbearing:hystrix-breaker:shared-lost'
    const onLost = (event: unknown): void => {
      if (typeof event === 'object' && event !== null && 'name' in event) lost.push(String(event.name))
    }
    subscribe(channel, onLost)
    const breaker = new Breaker({ name: 'alone', volumeThreshold: 1, sleepWindow: 1 })
    shared.join(breaker)
    await eventually(() => lost.length > 0)
    await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {})
    expect(breaker.state).toBe('open')
    await eventually(() => breaker.execute(() => 'up'))
    expect([breaker.state, lost]).toEqual(['closed', ['alone']])
    await shared[Symbol.asyncDispose]()
    unsubscribe(channel, onLost)
    client.disconnect()
  })

  test('a client that throws, or answers what no script would, counts as lost', async () => {
    for (const answer of [
      'OK',
      null,
      [],
      ['1', '1', '0', '0', '0', 'x', 'open', '0', '1', '0', '0', '0', '0'],
    ]) {
      const client = Object.assign(nodeRedis('redis://127.0.0.1:1'), {
        evalSha: () => Promise.resolve(answer),
      })
      await using shared = redisShared(client, { quorum: 2 })
      const errors: unknown[] = []
      shared.on('lost', ({ error }) => errors.push(error))
      shared.join(new Breaker({ name: 'strange' }))
      await eventually(() => errors.length > 0)
      expect(errors[0]).toBeInstanceOf(TypeError)
    }
    const client = Object.assign(nodeRedis('redis://127.0.0.1:1'), {
      evalSha: () => {
        throw new Error('The client is closed')
      },
    })
    await using shared = redisShared(client, { quorum: 2 })
    const errors: unknown[] = []
    shared.on('lost', ({ error }) => errors.push(error))
    shared.join(new Breaker({ name: 'strange' }))
    await eventually(() => errors.length > 0)
    expect(String(errors[0])).toContain('The client is closed')
  })

  test('a listening connection that never stood is closed all the same', async () => {
    const client = Object.assign(nodeRedis('redis://127.0.0.1:1'), {
      duplicate: () => ({
        ...nodeRedis('redis://127.0.0.1:1'),
        connect: () => Promise.reject(new Error('refused')),
        // As node-redis does.
        destroy: () => {
          throw new Error('The client is closed')
        },
      }),
    })
    const shared = redisShared(client, { quorum: 2 })
    shared.join(new Breaker({ name: 'closed' }))
    await expect(shared[Symbol.asyncDispose]()).resolves.toBe(undefined)
  })

  test('a name joins once; after the disposal none', async () => {
    const client = offline()
    const shared = redisShared(client, { quorum: 2 })
    const leave = shared.join(new Breaker({ name: 'twice' }))
    expect(() => shared.join(new Breaker({ name: 'twice' }))).toThrow('"twice" has joined already')
    await leave()
    shared.join(new Breaker({ name: 'twice' }))
    await shared[Symbol.asyncDispose]()
    let thrown: unknown
    try {
      shared.join(new Breaker({ name: 'late' }))
    } catch (error) {
      thrown = error
    }
    expect(isResilienceError(thrown) && thrown.code).toBe('DISPOSED')
    client.disconnect()
  })
})

describe.skipIf(skipWithout('redis'))('with a server', () => {
  let server: Service
  beforeAll(async () => {
    server = await redis({ name: 'breaker-adapter' })
  })
  beforeEach(() => server.reset())
  afterAll(async () => {
    await server?.stop()
  })

  test('a client of ioredis and one of the shape of node-redis are of one fleet', async () => {
    const client = new Redis(server.url)
    await using one = redisShared(client, { quorum: 2 })
    const other = nodeRedis(server.url)
    await other.connect()
    await using two = redisShared(other, { quorum: 2 })
    const breakers = [one, two].map((shared) => {
      const breaker = new Breaker({ name: 'users', volumeThreshold: 1, sleepWindow: 50 })
      shared.join(breaker)
      return breaker
    })
    const opened: number[] = []
    for (const shared of [one, two]) shared.on('openedByFleet', ({ generation }) => opened.push(generation))
    for (const breaker of breakers)
      await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {})
    await eventually(() => opened.length === 2)
    expect(opened[0]).toBe(opened[1])
    await eventually(async () => {
      await Promise.allSettled(breakers.map((breaker) => breaker.execute(() => 'up')))
      return breakers.every(({ state }) => state === 'closed')
    })
    client.disconnect()
    other.destroy()
  })
})
