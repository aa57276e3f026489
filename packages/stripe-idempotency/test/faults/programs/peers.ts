import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency'
import { CachePersistenceLayer } from '@aws-lambda-powertools/idempotency/cache'
import { Idempotency } from '@node-idempotency/core'
import {
  idempotency as expressIdempotency,
  getSharedIdempotencyService,
  type IdempotencyResource,
} from 'express-idempotency'
import { Redis } from 'ioredis'
import type { BankClient } from './bank-client.ts'
import { redisBooks } from './on-redis.ts'
import type { ServerSettings } from './settings.ts'
import { answerTo, type Transfer } from './transfer.ts'

// The peers as their documentation has them, on Redis, with the tenant in the key: what they are asked for is only to do
// once what was asked for once.

type CarryOut = (transfer: Transfer) => Promise<string>

const day = 86_400_000

export function peer(variant: string, { url, lease }: ServerSettings, bank: BankClient): CarryOut {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, connectTimeout: 2000, commandTimeout: 3000 })
  redis.on('error', () => {})
  const books = redisBooks(url)
  const work: CarryOut = async (transfer) => {
    await books.debit(null, transfer, 0)
    const credit = await bank.credit(keyOf(transfer), transfer, 0)
    await books.finish(null, transfer, 0)
    return answerTo(transfer, credit)
  }
  switch (variant) {
    case 'node-idempotency':
      return nodeIdempotency(redis, work)
    case 'powertools':
      return powertools(redis, lease, work)
    case 'express-idempotency':
      return express(redis, work)
    default:
      throw new Error(`there is no variant ${variant}: node-idempotency, powertools, express-idempotency`)
  }
}

function keyOf({ tenant, key }: Transfer): string {
  return `${tenant}-${key}`
}

function nodeIdempotency(redis: Redis, work: CarryOut): CarryOut {
  const node = new Idempotency({
    setIfNotExists: async (key, value, { ttl } = {}) =>
      (await redis.set(key, value, 'PX', ttl ?? day, 'NX')) === 'OK',
    set: async (key, value, { ttl }) => {
      await redis.set(key, value, 'PX', ttl ?? day)
    },
    get: async (key) => (await redis.get(key)) ?? undefined,
  })
  return async (transfer) => {
    const request = {
      method: 'POST',
      path: '/transfers',
      headers: { 'idempotency-key': keyOf(transfer) },
      body: { ...transfer },
    }
    const kept = await node.onRequest<string, string>(request)
    if (kept?.body !== undefined) return kept.body
    if (kept?.error !== undefined) throw new Error(kept.error)
    try {
      const body = await work(transfer)
      await node.onResponse(request, { body })
      return body
    } catch (error) {
      await node.onResponse(request, { error: String(error) })
      throw error
    }
  }
}

function powertools(redis: Redis, lease: number, work: CarryOut): CarryOut {
  process.env['AWS_LAMBDA_FUNCTION_NAME'] = 'transfers'
  const client = {
    get: (name: string) => redis.get(name),
    set: async (name: string, value: string, options: { EX?: number; NX?: boolean } = {}) => {
      const life = ['EX', options.EX ?? day / 1000] as const
      return options.NX === true ? redis.set(name, value, ...life, 'NX') : redis.set(name, value, ...life)
    },
    del: (names: string[]) => redis.del(names),
  }
  // As the layer says what it wants of a client of Redis.
  const persistenceStore = new CachePersistenceLayer(Object({ client }))
  return async (transfer) => {
    const config = new IdempotencyConfig({ eventKeyJmesPath: 'idempotencyKey' })
    Reflect.apply(config.registerLambdaContext, config, [{ getRemainingTimeInMillis: () => lease }])
    const once = makeIdempotent(async () => work(transfer), { persistenceStore, config })
    return String(await Reflect.apply(once, undefined, [{ idempotencyKey: keyOf(transfer) }]))
  }
}

function express(redis: Redis, work: CarryOut): CarryOut {
  const name = (key: string): string => `express:${key}`
  const middleware = expressIdempotency({
    dataAdapter: {
      async findByIdempotencyKey(key) {
        const kept = await redis.get(name(key))
        const resource: IdempotencyResource | null = kept === null ? null : JSON.parse(kept)
        return resource
      },
      async create(resource) {
        const created = await redis.set(name(resource.idempotencyKey), JSON.stringify(resource), 'NX')
        if (created === null) throw new Error('Duplicate')
      },
      async update(resource) {
        await redis.set(name(resource.idempotencyKey), JSON.stringify(resource))
      },
      async delete(key) {
        await redis.del(name(key))
      },
    },
  })
  return (transfer) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const headers: Record<string, string> = { 'idempotency-key': keyOf(transfer) }
    const request = {
      method: 'POST',
      url: '/transfers',
      query: {},
      body: {},
      headers,
      get: (header: string) => headers[header],
    }
    const response = {
      statusCode: 200,
      setHeader: () => {},
      getHeaders: () => ({}),
      status(code: number) {
        response.statusCode = code
        return response
      },
      send: (body: unknown) => resolve(String(body)),
    }
    const execute = async (): Promise<void> => {
      try {
        response.send(await work(transfer))
      } catch (failure) {
        reject(failure)
        const service = getSharedIdempotencyService()
        // Where its store is gone the key stays as it is.
        await Reflect.apply(service.reportError, service, [request]).catch(() => {})
      }
    }
    const next = (error?: unknown): void => {
      if (error !== undefined) reject(error)
      else if (Reflect.apply(getSharedIdempotencyService().isHit, null, [request]) !== true) {
        void execute()
      }
    }
    Promise.resolve(Reflect.apply(middleware, undefined, [request, response, next])).catch(reject)
    return promise
  }
}
