import { hash } from 'node:crypto'
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency'
import { CachePersistenceLayer } from '@aws-lambda-powertools/idempotency/cache'
import type { Prepared } from '@loadbearing/harness/bench'
import {
  createIdempotency,
  type HttpResponse,
  type Idempotency,
  memoryStore,
  stripeV1,
} from '@loadbearing/stripe-idempotency'
import { Idempotency as NodeIdempotency } from '@node-idempotency/core'
import { MemoryStorageAdapter } from '@node-idempotency/storage-adapter-memory'
import { ExpressDouble } from './express-double.ts'
import { charged, keyOf, type Payment, payment } from './payment.ts'

type Subject = Prepared<number, Promise<unknown>>

/** How many keys there are before anything is timed. */
interface Filled {
  readonly keys: number
}

export interface Peer {
  /** Carries out the work, a charge that is done at once, one time for its key. */
  readonly once: (key: string, work?: () => Promise<Payment>, input?: Payment) => Promise<unknown>
}

const charge = async (): Promise<Payment> => charged
const kept = 1000

/** Each call has a new key. */
async function first({ once }: Peer, { keys }: Filled): Promise<Subject> {
  for (let n = 0; n < keys; n++) await once(keyOf(n))
  let next = keys
  return { call: () => once(keyOf(next++)) }
}

/** Each call has a key that was answered before, one of the last 1,000. */
async function replay({ once }: Peer, { keys }: Filled): Promise<Subject> {
  for (let n = 0; n < keys; n++) await once(keyOf(n))
  const names = Array.from({ length: kept }, (_, n) => keyOf(keys - 1 - n))
  let next = 0
  return {
    call: () => {
      next = (next + 1) % kept
      return once(names[next] ?? '')
    },
  }
}

export function ours(): Peer {
  const idempotency = ourMemory()
  return {
    once: async (key, work = charge, input = payment) =>
      (await idempotency.run({ scope: 'acct_1', key, input }, work)).value,
  }
}

function ourMemory(): Idempotency {
  return createIdempotency({ store: memoryStore({ capacity: 3_000_000 }) })
}

const body = Buffer.from(JSON.stringify(payment))
const answer = Buffer.from(JSON.stringify(charged))

/** The whole exchange: headers, fingerprint of the body, the answer's bytes and headers. */
function oursOverHttp(): Peer {
  const exchange = ourMemory().http({ mode: stripeV1 })
  return {
    once: async (key) => {
      const request = {
        method: 'POST',
        path: '/v1/charges',
        query: '',
        headers: [
          ['content-type', 'application/json'],
          ['idempotency-key', key],
        ] as const,
        body,
      }
      const { response } = await exchange.answer(request, 'acct_1', async () => ({
        status: 200,
        headers: [['content-type', 'application/json']],
        body: answer,
      }))
      if (!(response.body instanceof Uint8Array)) throw new TypeError('a body of known length was given')
      return JSON.parse(Buffer.from(response.body).toString())
    },
  }
}

const headers = [['content-type', 'application/json']] as const
const unkeyed = { method: 'POST', path: '/v1/charges', query: '', headers, body }
const handler = async (): Promise<HttpResponse> => ({ status: 200, headers, body: answer })

/** A request that has no key goes to its handler. */
export function oursPass(): Subject {
  const exchange = ourMemory().http({ mode: stripeV1 })
  return {
    call: () => exchange.answer(unkeyed, 'acct_1', handler),
    answer: (exchanged) => Reflect.get(Object(Reflect.get(Object(exchanged), 'response')), 'status'),
  }
}

export function handlerAlone(): Subject {
  return { call: handler, answer: (response) => Reflect.get(Object(response), 'status') }
}

/** What cannot be left out, with nothing around it: a hash of the key, one of the input, a Map, the answer as JSON. No guarantee of ours. */
export function hashesAlone(): Peer {
  const answers = new Map<string, { readonly asked: string; readonly answer: string | undefined }>()
  return {
    once: async (key, work = charge, input = payment) => {
      const name = hash('sha256', `6:acct_1${key}`, 'base64url')
      const asked = hash('sha256', JSON.stringify(input), 'latin1')
      const found = answers.get(name)
      if (found?.asked === asked && found.answer !== undefined) return JSON.parse(found.answer)
      if (found !== undefined) throw new Error(`${key} was used before`)
      answers.set(name, { asked, answer: undefined })
      const value = await work()
      answers.set(name, { asked, answer: JSON.stringify(value) })
      return value
    },
  }
}

export function nodeIdempotency(): Peer {
  const idempotency = new NodeIdempotency(new MemoryStorageAdapter())
  return {
    once: async (key, work = charge, input = payment) => {
      const request = {
        headers: { 'idempotency-key': key },
        path: '/v1/charges',
        method: 'POST',
        body: { ...input },
      }
      const found = await idempotency.onRequest(request)
      if (found !== undefined) return found.body
      const value = await work()
      await idempotency.onResponse(request, { body: value })
      return value
    },
  }
}

export function powertools(): Peer {
  process.env['POWERTOOLS_IDEMPOTENCY_DISABLED'] = 'false'
  process.env['AWS_LAMBDA_FUNCTION_NAME'] = 'charges'
  const cache = new Map<string, string>()
  const client = {
    get: async (name: string) => cache.get(name) ?? null,
    set: async (name: string, value: string, options?: { NX?: boolean }) => {
      if (options?.NX === true && cache.has(name)) return null
      cache.set(name, value)
      return 'OK' as const
    },
    del: async (names: readonly string[]) => names.filter((name) => cache.delete(name)).length,
  }
  const run = makeIdempotent(async ({ work }: { key: string; work: () => Promise<Payment> }) => work(), {
    persistenceStore: new CachePersistenceLayer({ client }),
    config: new IdempotencyConfig({ eventKeyJmesPath: 'key', throwOnNoIdempotencyKey: true }),
  })
  return { once: (key, work = charge, input = payment) => run({ key, work, ...input }) }
}

export function expressIdempotency(): Peer {
  const express = new ExpressDouble()
  return { once: (key, work = charge, input = payment) => express.once(key, input, work) }
}

export const oursFirst = (filled: Filled): Promise<Subject> => first(ours(), filled)
export const oursReplay = (filled: Filled): Promise<Subject> => replay(ours(), filled)
export const oursHttpFirst = (filled: Filled): Promise<Subject> => first(oursOverHttp(), filled)
export const oursHttpReplay = (filled: Filled): Promise<Subject> => replay(oursOverHttp(), filled)
export const hashesFirst = (filled: Filled): Promise<Subject> => first(hashesAlone(), filled)
export const hashesReplay = (filled: Filled): Promise<Subject> => replay(hashesAlone(), filled)
export const nodeIdempotencyFirst = (filled: Filled): Promise<Subject> => first(nodeIdempotency(), filled)
export const nodeIdempotencyReplay = (filled: Filled): Promise<Subject> => replay(nodeIdempotency(), filled)
export const powertoolsFirst = (filled: Filled): Promise<Subject> => first(powertools(), filled)
export const powertoolsReplay = (filled: Filled): Promise<Subject> => replay(powertools(), filled)
export const expressFirst = (filled: Filled): Promise<Subject> => first(expressIdempotency(), filled)
export const expressReplay = (filled: Filled): Promise<Subject> => replay(expressIdempotency(), filled)
export const oursFirstOfFew = (): Promise<Subject> => first(ours(), { keys: 1000 })
export const oursFirstOfMany = (): Promise<Subject> => first(ours(), { keys: 1_000_000 })
export const oursReplayOfFew = (): Promise<Subject> => replay(ours(), { keys: 1000 })
export const oursReplayOfMany = (): Promise<Subject> => replay(ours(), { keys: 1_000_000 })
