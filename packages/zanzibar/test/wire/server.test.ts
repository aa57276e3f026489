import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { eventually } from '@loadbearing/harness/faults'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { zanzibarServer } from '../../src/adapters/server.ts'
import { parseModel } from '../../src/dsl/parse-model.ts'
import { memoryStore } from '../../src/store/memory-store.ts'
import type { TupleStore } from '../../src/store/tuple-store.ts'
import { hostileRequests } from './hostile-bodies.ts'

const model = parseModel(`model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type document
  relations
    define viewer: [user, group#member]
`)

const errors: unknown[] = []
const store = memoryStore()
const server = zanzibarServer({
  store,
  // A busy machine is no reason to fail.
  limits: { requestTimeout: 600_000 },
  onError: (error) => errors.push(error),
})
let url = ''
let storeId = ''

beforeAll(async () => {
  url = await server.listen({ port: 0 })
  storeId = (await store.createStore('hostile')).id
  await post(`/stores/${storeId}/authorization-models`, JSON.stringify(model))
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
})

async function post(path: string, body: BodyInit): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url + path, { method: 'POST', body })
  return { status: response.status, body: await response.json() }
}

/** What comes back for bytes written to a socket, until it is closed. */
async function rawly(...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.setEncoding('latin1')
  let said = ''
  socket.on('data', (text: string) => (said += text))
  socket.on('error', () => {})
  for (const part of parts) socket.write(part)
  await once(socket, 'close')
  return said
}

test('every hostile body is refused with a code, and nothing goes wrong within', async () => {
  // Some of them are models that are taken.
  const { id } = await store.createStore('models')
  const requests = [...hostileRequests()].filter((_, index) => index % 97 === 0)
  for (const { rpc, body } of requests) {
    const path = rpc === 'create-store' ? '/stores' : `/stores/${id}/${rpc}`
    if (rpc === 'assertions') continue
    const response = await post(path, body)
    if (response.status >= 300) {
      expect(response.status).toBe(400)
      expect(response.body).toEqual({ code: expect.any(String), message: expect.any(String) })
    }
  }
  expect(errors).toEqual([])
})

test('fuzzed bodies and paths get typed answers', async () => {
  const rpc = fc.constantFrom('check', 'batch-check', 'expand', 'list-objects', 'list-users', 'read', 'write')
  await fc.assert(
    fc.asyncProperty(
      rpc,
      fc.oneof(fc.json(), fc.uint8Array(), fc.string({ unit: 'binary' })),
      async (name, body) => {
        const { status, body: answer } = await post(`/stores/${storeId}/${name}`, body)
        expect([200, 400]).toContain(status)
        if (status === 400) expect(answer).toEqual({ code: expect.any(String), message: expect.any(String) })
      },
    ),
    { numRuns: 60 },
  )
  await fc.assert(
    fc.asyncProperty(fc.webPath(), async (path) => {
      const response = await fetch(`${url}${path}`)
      expect([200, 400, 404]).toContain(response.status)
      expect(await response.json()).toBeDefined()
    }),
    { numRuns: 30 },
  )
  expect(errors).toEqual([])
})

test('a body above the limit is refused when that is known, and the connection ends', async () => {
  const big = 700_000
  const announced = await rawly(
    `POST /stores HTTP/1.1\r\nhost: x\r\ncontent-length: ${big}\r\n\r\n`,
    Buffer.alloc(1000, 'a'),
  )
  expect(announced).toContain('HTTP/1.1 500')
  expect(announced).toContain('"code":"resource_exhausted"')
  const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`
  const endless = await rawly(
    'POST /stores HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
    ...Array.from({ length: 12 }, () => chunk),
  )
  expect(endless).toContain('"code":"resource_exhausted"')
  errors.length = 0
})

test('deep JSON, prototypes, halves of surrogates, NUL and bytes that are no UTF-8 are refused or taken as they are', async () => {
  const check = (rest: string): string =>
    `{"tuple_key":{"user":"user:anne","relation":"viewer","object":"document:1"},${rest}}`
  const path = `/stores/${storeId}/check`
  const refused = { status: 400, body: { code: 'validation_error' } }
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`
  expect(await post(path, check(`"context":{"a":${deep}}`))).toMatchObject(refused)
  expect(await post(path, check(`"x":${deep}`))).toMatchObject(refused)
  expect(await post(path, check('"context":{"a":"\\ud800"}'))).toMatchObject(refused)
  expect(await post(path, check('"context":{"a":"\\u0000"}'))).toMatchObject(refused)
  const broken = Buffer.from(check('"context":{"a":"?"}'))
  broken[broken.indexOf('?')] = 0xff
  expect(await post(path, broken)).toMatchObject({
    ...refused,
    body: { message: expect.stringContaining('UTF-8') },
  })
  const polluting = check(
    '"context":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  )
  expect(await post(path, polluting)).toEqual({ status: 200, body: { allowed: false, resolution: '' } })
  expect('polluted' in {}).toBe(false)
  expect(errors).toEqual([])
})

test('what is no HTTP is refused, and headers never carry what a path brings', async () => {
  expect(await rawly('nonsense\r\n\r\n')).toContain('400 Bad Request')
  const response = await fetch(`${url}/stores/%0d%0aset-cookie:%20a=b`)
  expect(response.status).toBe(400)
  expect(response.headers.get('openfga-store-id')).toBe(null)
  expect(response.headers.get('set-cookie')).toBe(null)
  const known = await fetch(`${url}/stores/${storeId}`)
  expect(known.headers.get('openfga-store-id')).toBe(storeId)
  expect(known.headers.get('x-request-id')).toBe(known.headers.get('fga-request-id'))
  expect(Number(known.headers.get('fga-query-duration-ms'))).toBeGreaterThanOrEqual(0)
})

// Recorded of OpenFGA v1.22.1.
test.each([
  ['http://example.com/stores?page_size=1', 200, '"stores":'],
  ['http:///stores', 200, '"stores":'],
  ['http://example.com', 400, '"message":"Bad Request"'],
  ['*', 400, '"message":"Bad Request"'],
  ['/stores?a;b', 400, '"message":"invalid semicolon separator in query"'],
  ['/stores?page_size=1;page_size=2', 400, '"message":"invalid semicolon separator in query"'],
  ['/stores?name=a%3Bb', 400, 'ListStoresRequest.Name'],
  ['/healthz?a;b', 200, '"SERVING"'],
])('a URL with scheme and host, or with a semicolon in its query: %s', async (target, status, told) => {
  const said = await rawly(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
  expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(said).toContain(told)
})

test('a path or a method that is not there has its code', async () => {
  const answerOf = async (method: string, path: string): Promise<unknown> =>
    (await fetch(url + path, { method })).json()
  expect(await answerOf('GET', '/nothing')).toEqual({ code: 'undefined_endpoint', message: 'Not Found' })
  expect(await answerOf('PUT', '/stores')).toEqual({ code: 'unimplemented', message: 'Method Not Allowed' })
  expect(await answerOf('GET', `/stores/${storeId}/check`)).toEqual({
    code: 'unimplemented',
    message: 'Method Not Allowed',
  })
  expect(await answerOf('GET', '/healthz')).toEqual({ status: 'SERVING' })
})

test('a token of a write is waited for, and one that was changed is refused', async () => {
  const body = JSON.stringify({
    writes: { tuple_keys: [{ user: 'user:zoe', relation: 'viewer', object: 'document:z' }] },
  })
  const written = await fetch(`${url}/stores/${storeId}/write`, { method: 'POST', body })
  const token = written.headers.get('zanzibar-token') ?? ''
  const check = JSON.stringify({ tuple_key: { user: 'user:zoe', relation: 'viewer', object: 'document:z' } })
  const ask = (atLeast: string): Promise<Response> =>
    fetch(`${url}/stores/${storeId}/check`, {
      method: 'POST',
      body: check,
      headers: { 'zanzibar-at-least': atLeast },
    })
  const answer = await ask(token)
  expect(await answer.json()).toMatchObject({ allowed: true })
  expect(answer.headers.get('zanzibar-token')).toBe(token)
  const changed = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`
  expect(await (await ask(changed)).json()).toMatchObject({ code: 'token_invalid' })
})

test('a client that leaves a stream stops the work for it', async () => {
  const released: number[] = []
  const busy = memoryStore()
  const watched = Object.assign(busy, { snapshot: countReleases(busy.snapshot.bind(busy), released) })
  await using other = zanzibarServer({
    store: watched,
    limits: { listObjectsMaxResults: 0, requestTimeout: 600_000 },
  })
  const base = await other.listen({ port: 0 })
  const { id } = await busy.createStore('busy')
  await fetch(`${base}/stores/${id}/authorization-models`, { method: 'POST', body: JSON.stringify(model) })
  const writes = Array.from({ length: 5000 }, (_, at) => ({
    user: 'user:anne',
    relation: 'viewer',
    object: `document:${'x'.repeat(2000)}${at}`,
  }))
  await busy.write(id, { writes })
  const streaming = httpRequest(`${base}/stores/${id}/streamed-list-objects`, { method: 'POST' })
  streaming.on('error', () => {})
  streaming.end(JSON.stringify({ user: 'user:anne', relation: 'viewer', type: 'document' }))
  const [response] = (await once(streaming, 'response')) as [NodeJS.ReadableStream]
  await once(response, 'readable')
  streaming.destroy()
  await eventually(() => released.length > 0)
  expect(released).toHaveLength(1)
})

test('a client that leaves a question stops the work for it', async () => {
  await using inner = memoryStore()
  const asked = Promise.withResolvers<AbortSignal | undefined>()
  const released: number[] = []
  // Its tuples never come.
  const waiting = new Proxy<TupleStore>(inner, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (name === 'snapshot')
        return () => ({
          revision: 1,
          at: () => undefined,
          fetch: (_: unknown, signal: AbortSignal | undefined) => {
            asked.resolve(signal)
            return new Promise((__, reject) => {
              signal?.addEventListener('abort', () => reject(new Error('left')))
            })
          },
          release: () => released.push(1),
        })
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  await using other = zanzibarServer({ store: waiting, limits: { requestTimeout: 600_000 } })
  const base = await other.listen({ port: 0 })
  const { id } = await inner.createStore('waiting')
  await inner.writeModel(id, model)
  const asking = httpRequest(`${base}/stores/${id}/check`, { method: 'POST' })
  asking.on('error', () => {})
  asking.end(JSON.stringify({ tuple_key: { user: 'user:a', relation: 'viewer', object: 'document:1' } }))
  const signal = await asked.promise
  expect(signal?.aborted).toBe(false)
  asking.destroy()
  await eventually(() => released.length > 0)
  expect(signal?.aborted).toBe(true)
})

function countReleases<Args extends unknown[], Result>(
  snapshot: (...args: Args) => Result | Promise<Result>,
  released: number[],
): (...args: Args) => Promise<Result> {
  return async (...args) => {
    const given = await snapshot(...args)
    if (
      typeof given === 'object' &&
      given !== null &&
      'release' in given &&
      typeof given.release === 'function'
    ) {
      const release = given.release.bind(given) as () => void
      Object.assign(given, {
        release: () => {
          released.push(1)
          release()
        },
      })
    }
    return given
  }
}

test('disposal answers what is at work and takes no more', async () => {
  const own = memoryStore()
  const closing = zanzibarServer({ store: own })
  const base = await closing.listen({ port: 0 })
  const kept = new Agent({ keepAlive: true })
  const first = httpRequest(`${base}/healthz`, { agent: kept }).end()
  const [response] = (await once(first, 'response')) as [NodeJS.ReadableStream]
  response.resume()
  await once(response, 'end')
  await closing[Symbol.asyncDispose]()
  await expect(fetch(`${base}/healthz`)).rejects.toThrow('fetch failed')
  kept.destroy()
})
