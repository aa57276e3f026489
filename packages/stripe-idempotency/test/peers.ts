import { Buffer } from 'node:buffer'
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency'
import { CachePersistenceLayer } from '@aws-lambda-powertools/idempotency/cache'
import { createIdempotency, isIdempotencyError, memoryStore, stripeV1 } from '@loadbearing/stripe-idempotency'
import { Idempotency as NodeIdempotency } from '@node-idempotency/core'
import { MemoryStorageAdapter } from '@node-idempotency/storage-adapter-memory'
import { idempotency as expressIdempotency, getSharedIdempotencyService } from 'express-idempotency'

export type Work = () => Promise<unknown>

/** What a call came to. */
export async function came(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call
  } catch (error) {
    return isIdempotencyError(error) ? error.code : error instanceof Error ? error.message : error
  }
}

export const minute = 60_000

/** One key of ours, asked for by processes of which one may stand still while the store's clock goes on. */
export function ourKey(): {
  once: (work: Work, input?: unknown) => Promise<unknown>
  pass: (ms: number) => void
} {
  let now = 0
  const at = { now: () => now, setTimeout: () => 0, clearTimeout: () => {} }
  const store = memoryStore({ clock: { ...at, monotonic: () => now } })
  return {
    async once(work, input = { amount: 5 }) {
      const began = now
      const clock = { ...at, monotonic: () => began }
      const request = { scope: 'acct_1', key: 'k', input, rerun: 'safe' } as const
      return (await createIdempotency({ store, clock }).run(request, work)).value
    },
    pass: (ms) => (now += ms),
  }
}

/** One key of Powertools on its cache layer; a call has `remaining` ms left of its Lambda. */
export function powertoolsKey(
  validated = false,
): (work: Work, remaining: number, event?: object) => Promise<unknown> {
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
  return (work, remaining, event = { key: 'k', amount: 5 }) => {
    const config = new IdempotencyConfig({
      eventKeyJmesPath: 'key',
      ...(validated && { payloadValidationJmesPath: 'amount' }),
    })
    const context: Partial<Parameters<typeof config.registerLambdaContext>[0]> = {
      getRemainingTimeInMillis: () => remaining,
    }
    Reflect.apply(config.registerLambdaContext, config, [context])
    const persistenceStore = new CachePersistenceLayer({ client })
    return makeIdempotent(async (_event: object) => work(), { persistenceStore, config })(event)
  }
}

/** A is paused past its lease, B does the work, and then A wakes and comes to `end`; C asks last. */
export async function wakes(
  once: (work: Work) => Promise<unknown>,
  pass: () => void,
  end: Work,
): Promise<unknown[]> {
  const awake = Promise.withResolvers<unknown>()
  const began = Promise.withResolvers<unknown>()
  const a = came(
    once(async () => {
      began.resolve(null)
      await awake.promise
      return end()
    }),
  )
  await began.promise
  pass()
  const b = await once(async () => 'B')
  awake.resolve(null)
  return [b, await a, await once(async () => 'C')]
}

/** Two at the same time: what the second comes to while the first is at work. */
export async function atOnce(once: (work: Work) => Promise<unknown>): Promise<unknown> {
  const end = Promise.withResolvers<unknown>()
  const began = Promise.withResolvers<unknown>()
  const first = once(() => {
    began.resolve(null)
    return end.promise
  })
  await began.promise
  const second = await came(once(async () => 'executed again'))
  end.resolve('first')
  await first
  return second
}

export interface Asked {
  readonly path?: string
  readonly key: string
  readonly account?: string
  readonly body?: Record<string, unknown>
  /** What the handler answers if it is run. */
  readonly answers: unknown
}

/** One server of ours, asked one request after the other: what each was answered. */
export async function ourAnswers(requests: readonly Asked[]): Promise<unknown[]> {
  const exchange = createIdempotency({ store: memoryStore() }).http({ mode: stripeV1 })
  const answers: unknown[] = []
  for (const { path = '/charges', key, account = 'acct_1', body = {}, answers: answer } of requests) {
    const headers = [
      ['content-type', 'application/json'],
      ['idempotency-key', key],
    ] as const
    const request = { method: 'POST', path, query: '', headers, body: Buffer.from(JSON.stringify(body)) }
    const { response } = await exchange.answer(request, account, async () => ({
      status: 200,
      headers: [],
      body: Buffer.from(JSON.stringify(answer)),
    }))
    if (!(response.body instanceof Uint8Array)) throw new TypeError('a body of known length was given')
    answers.push(JSON.parse(Buffer.from(response.body).toString()))
  }
  return answers
}

/** As `ourAnswers`, of @node-idempotency/core, which its plugins for frameworks call in the same way. */
export async function nodeAnswers(requests: readonly Asked[]): Promise<unknown[]> {
  const node = new NodeIdempotency(new MemoryStorageAdapter())
  const answers: unknown[] = []
  for (const { path = '/charges', key, account = 'acct_1', body = {}, answers: answer } of requests) {
    const headers = { 'idempotency-key': key, authorization: `Bearer of ${account}` }
    const request = { method: 'POST', path, headers, body }
    const found = await came(node.onRequest(request))
    if (typeof found === 'string') answers.push(found)
    else if (typeof found === 'object' && found !== null && 'body' in found) answers.push(found.body)
    else {
      await node.onResponse(request, { body: answer })
      answers.push(answer)
    }
  }
  return answers
}

/** As the README of express-idempotency has a handler: it asks whether its request is a hit, if it is told to. */
export class ExpressServer {
  readonly #middleware = expressIdempotency()
  readonly #asks: boolean
  executions = 0

  constructor(asks: boolean) {
    this.#asks = asks
  }

  /** What was sent, or `nothing was sent` when the middleware is through; with the error that it left to nobody. */
  async answer(more: Readonly<Record<string, string>> = {}): Promise<unknown> {
    const headers: Record<string, string> = { 'idempotency-key': 'k', ...more }
    const request = {
      method: 'POST',
      url: '/charges',
      query: {},
      body: {},
      headers,
      get: (name: string) => headers[name],
    }
    const sent: unknown[] = []
    const kept: Record<string, string> = {}
    const response = {
      statusCode: 200,
      setHeader: (name: string, value: string) => (kept[name] = value),
      getHeaders: () => kept,
      status: () => response,
      send: (body: unknown) => sent.push(body),
    }
    const next = (error?: unknown): void => {
      if (error instanceof Error) sent.push(error.message)
      else if (!this.#asks || Reflect.apply(getSharedIdempotencyService().isHit, null, [request]) === false) {
        response.send(`execution ${++this.executions}`)
      }
    }
    const through = await came(Reflect.apply(this.#middleware, undefined, [request, response, next]))
    return sent.length > 0 ? sent[0] : `nothing was sent${typeof through === 'string' ? `: ${through}` : ''}`
  }
}

/** All that the second of two may come to, by how many turns of the queue of promises it comes later. */
export async function comingLater(server: () => () => Promise<unknown>): Promise<string[]> {
  const outcomes = new Set<string>()
  for (let turns = 0; turns < 12; turns++) {
    const ask = server()
    const first = ask()
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    outcomes.add(String(await ask()))
    await first
  }
  return [...outcomes].toSorted((a, b) => (a < b ? -1 : 1))
}
