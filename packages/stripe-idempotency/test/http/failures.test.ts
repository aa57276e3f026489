import { Buffer } from 'node:buffer'
import {
  createIdempotency,
  type Exchange,
  type Exchanged,
  type ExchangeOutcome,
  type FailedOpenEvent,
  type HandlerContext,
  type HttpResponse,
  type IdempotencyStore,
  ietf,
  type KeptAnswer,
  memoryStore,
  readKey,
} from '@loadbearing/stripe-idempotency'
import { expect, test } from 'vitest'

const day = 86_400_000

interface World {
  readonly store: IdempotencyStore
  /** Milliseconds to go on. */
  readonly pass: (ms: number) => void
  readonly ask: (status: number, key?: string) => Promise<readonly [ExchangeOutcome, number]>
}

function world(capacity: number): World {
  let now = 1
  const clock = { now: () => now, monotonic: () => now, setTimeout: () => 0, clearTimeout: () => {} }
  const store = memoryStore({ clock, capacity })
  const exchange: Exchange = createIdempotency({ store, clock }).http({ mode: 'stripe-v2' })
  return {
    store,
    pass: (ms) => {
      now += ms
    },
    async ask(status, key) {
      const { outcome, response } = await exchange.answer(
        {
          method: 'POST',
          path: '/v2/core/events',
          query: '',
          headers: key === undefined ? [] : [['idempotency-key', key]],
          body: Buffer.from('{}'),
        },
        'acct_1',
        async () => ({ status, headers: [], body: Buffer.from('{}') }),
      )
      return [outcome, response.status]
    },
  }
}

test('requests of v2 without a key leave no record where they fail, and one where they do not', async () => {
  const { store, ask } = world(3)
  for (let n = 0; n < 5; n++) expect(await ask(422)).toEqual(['executed', 422])
  expect(await store.list({ limit: 10 })).toEqual([])
  expect(await ask(200)).toEqual(['executed', 200])
  expect(await store.list({ limit: 10 })).toMatchObject([{ state: 'completed' }])
})

test('what a key of v2 failed with goes with its retention, however often it failed', async () => {
  const { store, pass, ask } = world(3)
  for (const key of ['a', 'b', 'c', 'a', 'a', 'a']) expect(await ask(422, key)).toEqual(['executed', 422])
  expect(await ask(200, 'd')).toEqual(['store-unavailable', 503])
  pass(29 * day)
  expect(await store.reap(10)).toBe(0)
  expect(await ask(422, 'b')).toEqual(['executed', 422])
  pass(day + 1000)
  expect(await store.list({ limit: 10 })).toEqual([])
  expect(await store.reap(10)).toBe(3)
  for (const key of ['d', 'e', 'f']) expect(await ask(200, key)).toEqual(['executed', 200])
  expect(await ask(422, 'a')).toEqual(['store-unavailable', 503])
})

const post = {
  method: 'POST',
  path: '/v2/orders',
  query: '',
  headers: [['idempotency-key', 'k']],
  body: Buffer.from('{}'),
} as const

const answering =
  (body: string, status = 200): (() => Promise<HttpResponse>) =>
  async () => ({ status, headers: [['content-type', 'application/json']], body: Buffer.from(body) })

const textOf = ({ response }: Exchanged): string =>
  response.body instanceof Uint8Array ? Buffer.from(response.body).toString() : 'a stream'

test('a repeated success of v2 is what it has become, and is not carried out again', async () => {
  let shipped = false
  const asked: KeptAnswer[] = []
  const exchange = createIdempotency({ store: memoryStore() }).http({
    mode: 'stripe-v2',
    refresh: (kept) => {
      asked.push(kept)
      return shipped ? { ...kept.response, body: Buffer.from('{"state":"shipped"}') } : undefined
    },
  })
  const first = await exchange.answer(post, 'acct_1', answering('{"state":"paid"}', 201))
  const repeated = await exchange.answer(post, 'acct_1', answering('none'))
  shipped = true
  const later = await exchange.answer(post, 'acct_1', answering('none'))
  expect([first, repeated, later].map((each) => [each.outcome, each.response.status, textOf(each)])).toEqual([
    ['executed', 201, '{"state":"paid"}'],
    ['replayed', 201, '{"state":"paid"}'],
    ['replayed', 201, '{"state":"shipped"}'],
  ])
  const of = ({ response }: Exchanged, name: string): unknown => new Map(response.headers).get(name)
  expect([of(later, 'idempotent-replayed'), of(later, 'content-type')]).toEqual(['true', 'application/json'])
  expect(of(later, 'original-request')).toBe(of(first, 'request-id'))
  expect(asked).toMatchObject([
    { scope: 'acct_1', method: 'POST', path: '/v2/orders', response: { status: 201 } },
    { scope: 'acct_1' },
  ])
})

test('an answer that cannot be refreshed fails the request, and not its key', async () => {
  let broken = true
  const exchange = createIdempotency({ store: memoryStore() }).http({
    mode: 'stripe-v2',
    refresh: () => (broken ? Promise.reject(new Error('no database')) : undefined),
  })
  await exchange.answer(post, 'acct_1', answering('first'))
  await expect(exchange.answer(post, 'acct_1', answering('none'))).rejects.toThrow('no database')
  broken = false
  expect(textOf(await exchange.answer(post, 'acct_1', answering('none')))).toBe('first')
})

test('routes that may fail open are carried out without the store, loudly, and others are not', async () => {
  const store = Object.assign(memoryStore(), { claim: () => Promise.reject(new Error('down')) })
  const idempotency = createIdempotency({ store })
  const told: FailedOpenEvent[] = []
  idempotency.on('failed-open', (event) => told.push(event))
  const exchange = idempotency.http({ mode: 'stripe-v1', failOpen: ({ path }) => path === '/v2/orders' })
  const contexts: HandlerContext[] = []
  const handler = async (context: HandlerContext): Promise<HttpResponse> => {
    contexts.push(context)
    return answering('carried out')()
  }
  for (let time = 0; time < 2; time++) {
    const open = await exchange.answer(post, 'acct_1', handler)
    expect([open.outcome, open.response.status, textOf(open)]).toEqual(['passed', 200, 'carried out'])
  }
  const closed = await exchange.answer({ ...post, path: '/v2/payments' }, 'acct_1', handler)
  expect([closed.outcome, closed.response.status]).toEqual(['store-unavailable', 503])
  expect(contexts.map(({ recordId }) => recordId)).toEqual(['', ''])
  expect(told).toEqual([
    { method: 'POST', path: '/v2/orders' },
    { method: 'POST', path: '/v2/orders' },
  ])
})

test('what was begun with its key is not begun again without it', async () => {
  const whole = memoryStore()
  const refuse = (): Promise<never> => Promise.reject(new Error('down'))
  // Its completion is refused, and nobody can look why.
  const store = Object.assign(whole, { complete: () => false, find: refuse })
  const exchange = createIdempotency({ store }).http({ mode: 'stripe-v1', failOpen: () => true })
  let executions = 0
  const asked = await exchange.answer(post, 'acct_1', async () => {
    executions++
    return answering('done')()
  })
  expect([asked.outcome, executions]).toEqual(['store-unavailable', 1])
})

test.each([
  ['refresh', { mode: 'stripe-v1', refresh: () => undefined }],
  ['failOpen', { mode: 'stripe-v1', failOpen: () => true, transaction: true }],
] as const)('%s is refused where it has no sense', (name, options) => {
  expect(() => createIdempotency({ store: memoryStore() }).http(options)).toThrow(name)
})

test('in the modes of Stripe what is refused has an id of its request as well', async () => {
  const exchange = createIdempotency({ store: memoryStore() }).http({ mode: 'stripe-v1' })
  await exchange.answer(post, 'acct_1', answering('first'))
  const other = { ...post, body: Buffer.from('{"other":1}') }
  const ids: (string | undefined)[] = []
  for (const each of [other, other, { ...post, headers: [['idempotency-key', '']] as const }]) {
    const { response } = await exchange.answer(each, 'acct_1', answering('none'))
    expect(response.status).toBe(400)
    ids.push(new Map(response.headers).get('request-id'))
  }
  expect(new Set(ids).size).toBe(3)
  for (const id of ids) expect(id).toMatch(/^req_/)
})

test('problems of the IETF that no retry mends say so to programs, and name the record', async () => {
  const store = memoryStore()
  const exchange = createIdempotency({ store }).http({ mode: 'ietf' })
  const lost = exchange.answer(post, 'acct_1', () => Promise.reject(new Error('half of it was done')))
  await expect(lost).rejects.toThrow('half of it')
  const again = { ...post, headers: [['idempotency-key', 'erased']] as const }
  await exchange.answer(again, 'acct_1', answering('done'))
  await store.erase({ scope: 'acct_1' })
  const ids = new Map((await store.list({ limit: 2 })).map(({ state, id }) => [state, id]))
  for (const [request, record] of [
    [post, ids.get('claimed')],
    [again, ids.get('completed')],
  ] as const) {
    const refused = await exchange.answer(request, 'acct_1', answering('none'))
    expect(JSON.parse(textOf(refused))).toMatchObject({ status: 409, retryable: false, operation: record })
  }
})

test('an answer tells its key as the mode takes it', async () => {
  const strict = ietf({ syntax: 'strict' })
  const line = String.raw`"a\"b\\c"`
  const exchange = createIdempotency({ store: memoryStore() }).http({ mode: strict })
  const request = { ...post, headers: [['idempotency-key', line]] as const }
  for (const outcome of ['executed', 'replayed']) {
    const answer = await exchange.answer(request, 'acct_1', answering('done'))
    expect(answer.outcome).toBe(outcome)
    expect(new Map(answer.response.headers).get('idempotency-key')).toBe(line)
  }
  expect(readKey([line], strict.key)).toBe(String.raw`a"b\c`)
})
