import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { eventually, tcpProxy } from '@loadbearing/harness/faults'
import { redis, skipWithout } from '@loadbearing/harness/services'
import { Breaker } from '@loadbearing/hystrix-breaker'
import { redisShared } from '@loadbearing/hystrix-breaker/redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { expect, test } from 'vitest'
import { ioredis5, redis5 } from './older-clients.ts'

const down = (): Promise<never> => Promise.reject(new Error('down'))

test.skipIf(skipWithout('redis'))(
  'node-redis and ioredis, 5 and 6, are of one fleet, also after the server has lost its scripts and its life',
  async () => {
    await using server = await redis({ name: 'breaker-node-redis' })
    const nodeRedis = [createClient, redis5.createClient].map((create) =>
      create({ url: server.url, socket: { reconnectStrategy: 20 } }),
    )
    const ioredis = [Redis, ioredis5.Redis].map(
      (Client) => new Client(server.url, { retryStrategy: () => 20 }),
    )
    for (const client of [...nodeRedis, ...ioredis]) client.on('error', () => {})
    await Promise.all(nodeRedis.map((client) => client.connect()))
    const clients = [...nodeRedis, ...ioredis]
    const fleet = clients.map((client) => {
      const breaker = new Breaker({ name: 'upstream', volumeThreshold: 1, sleepWindow: 60_000 })
      const shared = redisShared(client, { quorum: 1, syncEvery: 50, timeout: 250 })
      shared.join(breaker)
      return { breaker, shared }
    })
    const isEverywhere = (state: string): Promise<unknown> =>
      eventually(() => fleet.every(({ breaker }) => breaker.state === state), { what: `${state} everywhere` })
    try {
      for (const { breaker } of fleet) {
        await breaker.execute(down).catch(() => {})
        await isEverywhere('open')
        breaker.reset()
        await isEverywhere('closed')
        await ioredis[0]?.script('FLUSH')
      }
      await server.kill()
      await server.restart()
      await fleet[0]?.breaker.execute(down).catch(() => {})
      await isEverywhere('open')
      for (const { breaker } of fleet.slice(1))
        expect(await breaker.execute(down).catch(({ code }) => code)).toBe('CIRCUIT_OPEN')
    } finally {
      for (const { breaker, shared } of fleet) {
        await shared[Symbol.asyncDispose]()
        await breaker[Symbol.asyncDispose]()
      }
      for (const client of nodeRedis) client.destroy()
      for (const client of ioredis) client.disconnect()
    }
  },
)

test.skipIf(skipWithout('redis'))(
  'a fleet that ends in the moment in which its connection is back leaves no rejection behind',
  async () => {
    await using server = await redis({ name: 'breaker-back' })
    await using proxy = await tcpProxy({ target: server.url })
    const client = new Redis(proxy.url)
    const unheard: unknown[] = []
    const hear = (reason: unknown): number => unheard.push(reason)
    process.on('unhandledRejection', hear)
    const listening: Redis[] = []
    const duplicate = client.duplicate.bind(client)
    client.duplicate = (...given) => {
      const made = duplicate(...given)
      listening.push(made)
      return made
    }
    const breaker = new Breaker({ name: 'upstream' })
    const shared = redisShared(client, { quorum: 1, timeout: 50 })
    shared.join(breaker)
    await eventually(async () => {
      const channels = await client.pubsub('CHANNELS')
      return Array.isArray(channels) && channels.length > 0
    })
    const [subscriber] = listening
    // What it asks for now is not answered any more.
    subscriber?.once('ready', () => proxy.latency('10s'))
    const back = subscriber && once(subscriber, 'ready')
    subscriber?.disconnect(true)
    await back
    const ended = subscriber && once(subscriber, 'end')
    await shared[Symbol.asyncDispose]()
    await breaker[Symbol.asyncDispose]()
    await ended
    await setImmediate()
    process.off('unhandledRejection', hear)
    expect(unheard).toEqual([])
    client.disconnect()
  },
)
