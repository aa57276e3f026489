import { Buffer } from 'node:buffer'
import { eventually, type TcpProxy, tcpProxy } from '@loadbearing/harness/faults'
import {
  postgres as postgresServer,
  redis as redisServer,
  type Service,
  skipWithout,
} from '@loadbearing/harness/services'
import {
  createIdempotency,
  type Exchange,
  type HttpResponse,
  type IdempotencyStore,
  type LiveResponse,
  memoryStore,
} from '@loadbearing/stripe-idempotency'
import { postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { redisStore } from '@loadbearing/stripe-idempotency/redis'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { VirtualClock } from '../virtual-clock.ts'
import { ioredis5, redis5 } from './older-clients.ts'
import { openPool } from './pool.ts'

const storeTimeout = 700

function post(exchange: Exchange, key: string, handler: () => HttpResponse): Promise<LiveResponse> {
  const request = {
    method: 'POST',
    path: '/v1/charges',
    query: '',
    headers: [['idempotency-key', key]] as const,
    body: Buffer.from('amount=5'),
  }
  return exchange.answer(request, 'acct_1', async () => handler()).then(({ response }) => response)
}

async function pass(clock: VirtualClock, ms: number): Promise<void> {
  let passed = false
  clock.setTimeout(() => {
    passed = true
  }, ms)
  await clock.run(() => passed)
}

function retryAfter({ headers }: LiveResponse): string | undefined {
  return headers.find(([name]) => name === 'retry-after')?.[1]
}

/** A client of a server behind a proxy. */
interface Client {
  readonly storeOf: () => Promise<IdempotencyStore>
  readonly end: () => Promise<void>
}

const clients: readonly (readonly [string, 'postgres' | 'redis', (url: string) => Promise<Client>])[] = [
  [
    'pg',
    'postgres',
    async (url) => {
      const pool = openPool(url, 2)
      return { storeOf: async () => postgresStore({ pool, table: 'down_record' }), end: () => pool.end() }
    },
  ],
  [
    'postgres',
    'postgres',
    async (url) => {
      const sql = postgres(url, { max: 2, onnotice: () => {} })
      return {
        storeOf: async () => postgresStore({ pool: sql, table: 'down_record' }),
        end: () => sql.end({ timeout: 1 }),
      }
    },
  ],
  ['ioredis', 'redis', async (url) => throughIoredis(new Redis(url))],
  ['ioredis 5', 'redis', async (url) => throughIoredis(new ioredis5.Redis(url))],
  ['node-redis', 'redis', (url) => throughNodeRedis(createClient({ url }))],
  ['node-redis 5', 'redis', (url) => throughNodeRedis(redis5.createClient({ url }))],
]

function throughIoredis(client: Redis): Client {
  client.on('error', () => {})
  return { storeOf: () => redisStore({ client }), end: async () => client.disconnect() }
}

async function throughNodeRedis(client: ReturnType<typeof createClient>): Promise<Client> {
  client.on('error', () => {})
  await client.connect()
  return { storeOf: () => redisStore({ client }), end: async () => client.destroy() }
}

const ways: readonly (readonly [string, (proxy: TcpProxy) => void])[] = [
  [
    'refuses connections',
    (proxy) => {
      proxy.refuse()
      proxy.reset()
    },
  ],
  ['is silent', (proxy) => proxy.blackHole()],
]

describe.each(clients)('a store that cannot be reached, through %s,', (_, kind, connect) => {
  describe.skipIf(skipWithout(kind))('and is asked over HTTP', () => {
    let server: Service
    let proxy: TcpProxy
    let client: Client

    beforeAll(async () => {
      server = await (kind === 'postgres' ? postgresServer() : redisServer())
      if (kind === 'postgres') {
        const pool = openPool(server.url, 1)
        await postgresStore({ pool, table: 'down_record' }).migrate()
        await pool.query('TRUNCATE down_record')
        await pool.end()
      }
      proxy = await tcpProxy({ target: server.url })
      client = await connect(proxy.url)
    }, 120_000)

    afterAll(async () => {
      await client?.end()
      await proxy?.close()
      await server?.stop()
    })

    test.each(ways)(
      'where it %s: 503 with Retry-After in the time it is given, and the handler is not run',
      async (way, fail) => {
        const clock = new VirtualClock()
        const store = await client.storeOf()
        const exchange = createIdempotency({ store, clock, storeTimeout }).http({ mode: 'stripe-v1' })
        let executed = 0
        const handler = (): HttpResponse => {
          executed++
          return { status: 201, headers: [], body: Buffer.from('paid') }
        }
        const key = `${way} ${kind}`
        // The connection is there, and knows what it is asked for.
        expect((await post(exchange, `${key}, before`, handler)).status).toBe(201)
        fail(proxy)
        let answer: LiveResponse | undefined
        const answering = (async () => {
          answer = await post(exchange, key, handler)
        })()
        await clock.run(() => answer !== undefined)
        await answering
        expect([answer?.status, answer && retryAfter(answer)]).toEqual([503, '1'])
        expect(clock.now()).toBeLessThanOrEqual(storeTimeout)
        expect(executed).toBe(1)
        proxy.reset()
        await proxy.heal()
        await using later = createIdempotency({ store, storeTimeout: '5s' })
        const healed = later.http({ mode: 'stripe-v1' })
        // A client that sends what has waited, once it can, has claimed the key after all; whoever gave up lets go of it.
        await eventually(async () => {
          await pass(clock, 200)
          return (await post(healed, key, handler)).status === 201
        })
        expect(executed).toBe(2)
      },
    )
  })
})

test('a store in memory that is full: 503 for a new key, and every key that it has is answered for', async () => {
  const exchange = createIdempotency({ store: memoryStore({ capacity: 2 }) }).http({ mode: 'stripe-v1' })
  const executed: string[] = []
  const ask = async (key: string): Promise<string> => {
    const { status, headers, body } = await post(exchange, key, () => {
      executed.push(key)
      return { status: 201, headers: [], body: Buffer.from(`paid ${key}`) }
    })
    const replayed = headers.some(([name]) => name === 'idempotent-replayed')
    const text = body instanceof Uint8Array ? Buffer.from(body).toString() : ''
    return status === 503
      ? `503 ${retryAfter({ status, headers, body })}`
      : `${text}${replayed ? ' again' : ''}`
  }
  expect([await ask('a'), await ask('b')]).toEqual(['paid a', 'paid b'])
  for (let flood = 0; flood < 100; flood++) expect(await ask(`new ${flood}`)).toBe('503 1')
  expect([await ask('a'), await ask('b')]).toEqual(['paid a again', 'paid b again'])
  expect(executed).toEqual(['a', 'b'])
})
