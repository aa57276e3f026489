import {
  createIdempotency,
  type Exchanged,
  type IdempotencyOptions,
  type IdempotencyStore,
  memoryStore,
} from '@loadbearing/stripe-idempotency'
import { type BrandurRow, importBrandur, importNodeIdempotency } from '@loadbearing/stripe-idempotency/import'
import { Idempotency } from '@node-idempotency/core'
import { MemoryStorageAdapter } from '@node-idempotency/storage-adapter-memory'
import { expect, test } from 'vitest'

interface Asked {
  readonly path?: string
  readonly query?: string
  readonly key: string
  readonly type?: string
  readonly body: string
}

type Sealing = Pick<IdempotencyOptions, 'secrets'>

/** An application that has changed over to this package. */
function application(store: IdempotencyStore, sealing: Sealing = {}): (request: Asked) => Promise<Exchanged> {
  const http = createIdempotency({ store, ...sealing }).http({ mode: 'ietf' })
  return ({ path = '/charges', query = '', key, type = 'application/json', body }) =>
    http.answer(
      {
        method: 'POST',
        path,
        query,
        headers: [
          ['idempotency-key', key],
          ['content-type', type],
        ],
        body: Buffer.from(body),
      },
      'acct_1',
      async () => ({ status: 201, headers: [], body: Buffer.from('carried out') }),
    )
}

const textOf = ({ response }: Exchanged): string =>
  response.body instanceof Uint8Array ? Buffer.from(response.body).toString() : 'a stream'

/** What the library itself writes. */
async function keptByTheLibrary(): Promise<[string, string][]> {
  const adapter = new MemoryStorageAdapter()
  const entries = new Map<string, string>()
  const set = adapter.set.bind(adapter)
  const setIfNotExists = adapter.setIfNotExists.bind(adapter)
  adapter.set = async (key, value, options) => {
    entries.set(key, value)
    await set(key, value, options)
  }
  adapter.setIfNotExists = async (key, value, options) => {
    entries.set(key, value)
    return await setIfNotExists(key, value, options)
  }
  const library = new Idempotency(adapter)
  const request = (key: string, body: Record<string, unknown>, path = '/charges') => ({
    method: 'POST',
    path,
    headers: { 'Idempotency-Key': key },
    body,
  })
  const charge = request('a:b', { amount: 2000, currency: 'usd' })
  await library.onRequest(charge)
  await library.onResponse(charge, {
    body: { id: 'ch_1' },
    additional: {
      statusCode: 202,
      'content-type': 'application/json; charset=utf-8',
      location: '/charges/1',
    },
  })
  const searched = request('searched', { amount: 1 }, '/charges?expand=all')
  await library.onRequest(searched)
  await library.onResponse(searched, { body: 'plain', additional: { statusCode: 200 } })
  const refused = request('refused', { amount: -1 })
  await library.onRequest(refused)
  await library.onResponse(refused, {
    additional: { statusCode: 422 },
    error: { response: { message: 'too little', statusCode: 422 }, status: 422 },
  })
  await library.onRequest(request('at-work', { amount: 3 }))
  return [...entries]
}

const sealings: readonly (readonly [string, Sealing])[] = [
  ['in clear', {}],
  ['under a secret', { secrets: [{ id: '2026', value: 'a secret of many bytes' }] }],
]

test.each(sealings)(
  'answers of @node-idempotency are replayed to the same requests, and to no others, %s',
  async (_, own) => {
    await using store = memoryStore()
    const entries = [
      ...(await keptByTheLibrary()),
      ['somebody else’s', '{}'],
      ['node-idempotency:POST:/charges:torn', '{"status":"COMPL'],
    ] as const
    const options = { store, ...own, scope: () => 'acct_1' }
    const report = await importNodeIdempotency(entries, options)
    expect(report).toMatchObject({ imported: 3, uncertain: 1, present: 0, expired: 0 })
    expect(report.refused.map(({ place }) => place)).toEqual([4, 5])
    const ask = application(store, own)

    const charge = await ask({ key: 'a:b', body: '{"amount":2000,"currency":"usd"}' })
    expect([charge.outcome, charge.response.status, textOf(charge)]).toEqual([
      'replayed',
      202,
      '{"id":"ch_1"}',
    ])
    expect(charge.response.headers).toContainEqual(['location', '/charges/1'])
    expect((await ask({ key: 'a:b', body: '{"amount":2001,"currency":"usd"}' })).outcome).toBe(
      'content-mismatch',
    )
    expect((await ask({ key: 'a:b', body: 'no JSON' })).outcome).toBe('content-mismatch')
    expect((await ask({ key: 'searched', query: 'expand=all', body: '{"amount":1}' })).outcome).toBe(
      'replayed',
    )
    expect((await ask({ key: 'searched', query: 'expand=none', body: '{"amount":1}' })).outcome).toBe(
      'content-mismatch',
    )
    const refused = await ask({ key: 'refused', body: '{"amount":-1}' })
    expect([refused.outcome, refused.response.status, textOf(refused)]).toEqual([
      'replayed',
      422,
      '{"message":"too little","statusCode":422}',
    ])
    expect((await ask({ key: 'at-work', body: '{"amount":3}' })).outcome).toBe('uncertain')
    expect((await ask({ key: 'new', body: '{}' })).outcome).toBe('executed')

    expect(await importNodeIdempotency(entries, options)).toMatchObject({
      imported: 0,
      present: 4,
    })
  },
)

function row(more: Partial<BrandurRow>): BrandurRow {
  return {
    idempotency_key: 'ride-1',
    request_method: 'POST',
    request_params: { origin_lat: '0.0', target_lat: '1 & 2' },
    request_path: '/rides',
    response_code: 201,
    response_body: { message: 'Payment accepted.' },
    recovery_point: 'finished',
    user_id: 123,
    created_at: new Date(),
    ...more,
  }
}

test.each(sealings)(
  'finished rows of rocket-rides are replayed, what stopped in the middle is uncertain, old ones are gone, %s',
  async (_, own) => {
    await using store = memoryStore()
    const rows = [
      row({}),
      row({ idempotency_key: 'ride-2', recovery_point: 'ride_created', response_code: null }),
      row({ idempotency_key: 'ride-3', created_at: new Date(Date.now() - 90_000_000) }),
      row({ idempotency_key: 'ride-4', response_code: null }),
      row({ idempotency_key: 'ride-5', created_at: 'some day' }),
    ]
    const report = await importBrandur(rows, { store, ...own, scope: () => 'acct_1' })
    expect(report).toMatchObject({ imported: 1, uncertain: 1, expired: 1 })
    expect(report.refused).toEqual([
      { place: 3, why: 'it is finished and has no response_code' },
      { place: 4, why: 'it has a date that cannot be read' },
    ])
    const ask = application(store, own)
    const form = 'application/x-www-form-urlencoded'
    const ride = { path: '/rides', key: 'ride-1', type: form }
    const replayed = await ask({ ...ride, body: 'target_lat=1+%26+2&origin_lat=0.0' })
    expect([replayed.outcome, replayed.response.status, textOf(replayed)]).toEqual([
      'replayed',
      201,
      '{"message":"Payment accepted."}',
    ])
    expect((await ask({ ...ride, body: 'target_lat=1&origin_lat=0.0' })).outcome).toBe('content-mismatch')
    expect((await ask({ ...ride, key: 'ride-2', body: 'target_lat=1+%26+2&origin_lat=0.0' })).outcome).toBe(
      'uncertain',
    )
    expect((await ask({ ...ride, key: 'ride-3', body: 'target_lat=1' })).outcome).toBe('executed')
  },
)

test('bodies of JSON are compared with the parameters of the table', async () => {
  await using store = memoryStore()
  await importBrandur([row({ request_params: { a: 1, b: { c: [2, null] } } })], {
    store,
    scope: ({ user_id }) => (user_id === 123 ? 'acct_1' : 'nobody'),
    contentType: 'application/json',
  })
  const ask = application(store)
  const ride = { path: '/rides', key: 'ride-1' }
  expect((await ask({ ...ride, body: '{"b":{"c":[2,null]},"a":1}' })).outcome).toBe('replayed')
  expect((await ask({ ...ride, body: '{"b":{"c":[2]},"a":1}' })).outcome).toBe('content-mismatch')
})

test('secrets are checked, so that nothing is imported in clear by mistake', async () => {
  await using store = memoryStore()
  for (const secrets of [[], [{ id: '2026', value: 'short' }]]) {
    const options = { store, secrets, scope: () => 'acct_1' }
    await expect(importNodeIdempotency([], options)).rejects.toMatchObject({ code: 'invalid_option' })
  }
})
