import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Breaker, InvalidOptionError, isResilienceError, Registry } from '@loadbearing/hystrix-breaker'
import { type AxiosBreakerOptions, breakerAdapter } from '@loadbearing/hystrix-breaker/axios'
import axios, { type AxiosError, type AxiosInstance, isAxiosError, isCancel } from 'axios'
import { describe, expect, test } from 'vitest'
import { served } from '../stream/served.ts'
import { steppedClock } from '../stream/stepped-clock.ts'

const senders = ['http', 'fetch'] as const

/** A server that answers what the path says, and an instance with a breaker before it. */
async function guarded({ options, ...more }: AxiosBreakerOptions = {}) {
  const held: { request: IncomingMessage; response: ServerResponse }[] = []
  const told: (() => void)[] = []
  let seen = 0
  const server = await served((request, response) => {
    seen++
    if (request.url === '/hang') held.push({ request, response })
    else if (request.url === '/reset') request.socket.destroy()
    else if (request.url === '/half')
      response.writeHead(200, { 'content-length': '10' }).write('12345', () => request.socket.destroy())
    else if (request.url === '/away') response.writeHead(302, { location: '/200' }).end()
    else response.writeHead(Number(request.url?.slice(1))).end('done')
    for (const tell of told.splice(0)) tell()
  })
  const clock = steppedClock()
  const registry = new Registry()
  const own = typeof options === 'function' ? {} : options
  const api: AxiosInstance = axios.create({
    baseURL: server.url,
    proxy: false,
    adapter: breakerAdapter({
      registry,
      ...more,
      options: { volumeThreshold: 2, sleepWindow: 1000, clock, ...own },
    }),
  })
  return {
    server,
    api,
    clock,
    registry,
    held,
    seen: () => seen,
    get breaker(): Breaker {
      const found = registry.get(server.url)
      if (found === undefined) throw new TypeError('There is no breaker')
      return found
    },
    until: async (found: () => boolean): Promise<void> => {
      while (!found()) await new Promise<void>((resolve) => told.push(resolve))
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const caught = (promise: Promise<unknown>): Promise<AxiosError> =>
  promise.then(
    () => {
      throw new TypeError('It did not fail')
    },
    (error: AxiosError) => error,
  )

describe.each(senders)('axios over %s', (adapter) => {
  test('failures open the circuit, refusals are not sent, a probe closes it', async () => {
    await using it = await guarded({ adapter })
    expect((await it.api.get('/200')).data).toBe('done')
    const failed = await caught(it.api.get('/503'))
    expect([isAxiosError(failed), failed.response?.status, failed.config?.url]).toEqual([true, 503, '/503'])
    expect(it.breaker.state).toBe('open')
    it.clock.advance(400)
    const refused = await caught(it.api.get('/200'))
    expect(isResilienceError(refused)).toBe(true)
    expect(refused).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfter: 600 })
    expect(it.seen()).toBe(2)
    it.clock.advance(600)
    expect((await it.api.get('/200')).status).toBe(200)
    expect(it.breaker.state).toBe('closed')
  })

  test('a status counts the same where validateStatus lets it pass', async () => {
    await using it = await guarded({ adapter, options: { volumeThreshold: 9 } })
    for (const status of [500, 404])
      expect((await it.api.get(`/${status}`, { validateStatus: () => true })).status).toBe(status)
    expect((await caught(it.api.get('/404'))).response?.status).toBe(404)
    expect(it.breaker.metrics.total()).toMatchObject({ FAILURE: 1, SUCCESS: 2 })
  })

  test('what breaks on the connection counts, before the answer and in the middle of it', async () => {
    await using it = await guarded({ adapter, options: { volumeThreshold: 9 } })
    for (const path of ['/reset', '/half']) expect(isAxiosError(await caught(it.api.get(path)))).toBe(true)
    expect(it.breaker.counts).toMatchObject({ total: 2, failures: 2 })
  })

  test("axios' own timeout counts", async () => {
    await using it = await guarded({ adapter, options: { volumeThreshold: 1 } })
    const error = await caught(it.api.get('/hang', { timeout: 20 }))
    expect(['ECONNABORTED', 'ETIMEDOUT']).toContain(error.code)
    expect(it.breaker.state).toBe('open')
  })

  test('a caller that cancels counts neither way, and its probe goes to the next one', async () => {
    await using it = await guarded({ adapter })
    await caught(it.api.get('/500'))
    await caught(it.api.get('/500'))
    expect(it.breaker.state).toBe('open')
    it.clock.advance(1000)
    const controller = new AbortController()
    const asked = caught(it.api.get('/hang', { signal: controller.signal }))
    await it.until(() => it.held.length === 1)
    expect((await caught(it.api.get('/200'))).code).toBe('CIRCUIT_OPEN')
    controller.abort()
    const error = await asked
    expect([isCancel(error), error.code]).toEqual([true, 'ERR_CANCELED'])
    expect(it.breaker.calls).toEqual({ running: 0, queued: 0 })
    const source = axios.CancelToken.source()
    const again = caught(it.api.get('/hang', { cancelToken: source.token }))
    await it.until(() => it.held.length === 2)
    source.cancel('not any more')
    expect(await again).toMatchObject({ message: 'not any more', code: 'ERR_CANCELED' })
    expect((await it.api.get('/200')).status).toBe(200)
    expect(it.breaker.state).toBe('closed')
    expect(it.breaker.metrics.total()).toMatchObject({ FAILURE: 2, SUCCESS: 1, CANCELLED: 2 })
  })

  test('who cancels while it waits for a place is not sent', async () => {
    await using it = await guarded({ adapter, options: { bulkhead: { max: 1, queue: 2 } } })
    const first = it.api.get('/hang')
    await it.until(() => it.held.length === 1)
    const controller = new AbortController()
    const source = axios.CancelToken.source()
    const waiting = [
      caught(it.api.get('/200', { signal: controller.signal })),
      caught(it.api.get('/200', { cancelToken: source.token })),
    ]
    while (it.breaker.calls.queued < 2) await new Promise((resolve) => setImmediate(resolve))
    expect((await caught(it.api.get('/200'))).code).toBe('BULKHEAD_FULL')
    controller.abort()
    source.cancel('enough')
    expect((await Promise.all(waiting)).map(isCancel)).toEqual([true, true])
    it.held[0]?.response.end('late')
    expect((await first).data).toBe('late')
    expect(it.seen()).toBe(1)
    expect(it.breaker.calls).toEqual({ running: 0, queued: 0 })
  })

  test('the time limit of the breaker aborts the request itself', async () => {
    await using it = await guarded({ adapter, options: { timeout: 300, volumeThreshold: 1 } })
    const asked = caught(it.api.get('/hang'))
    await it.until(() => it.held.length === 1)
    const gone = new Promise<void>((resolve) => it.held[0]?.response.once('close', () => resolve()))
    it.clock.advance(300)
    expect(await asked).toMatchObject({ code: 'TIMEOUT' })
    await gone
    expect(it.breaker.state).toBe('open')
  })

  test('redirects are inside of it, and another origin has another breaker', async () => {
    await using it = await guarded({ adapter })
    await using other = await served((_, response) => void response.end('other'))
    expect((await it.api.get('/away')).data).toBe('done')
    expect((await it.api.get(`${other.url}/x`)).data).toBe('other')
    expect([...it.registry].map(({ name }) => name).toSorted()).toEqual([it.server.url, other.url].toSorted())
    expect(it.breaker.counts.total).toBe(1)
  })
})

test('what never reached the origin does not count', async () => {
  await using it = await guarded({ adapter: 'http' })
  await it.api.get('/200')
  const tooLarge = await caught(it.api.post('/200', 'x'.repeat(100), { maxBodyLength: 10 }))
  expect(tooLarge.code).toBe('ERR_BAD_REQUEST')
  expect(it.breaker.counts).toMatchObject({ total: 1, failures: 0 })
  expect(it.breaker.calls.running).toBe(0)
})

test('an instance that is there already, another key, and none', async () => {
  await using it = await guarded()
  const registry = new Registry()
  const existing = axios.create({ baseURL: it.server.url, proxy: false })
  const before = existing.defaults.adapter
  existing.defaults.adapter = breakerAdapter({
    registry,
    ...(before === undefined ? {} : { adapter: before }),
    keyOf: ({ url }) => (url === '/204' ? undefined : `users ${url}`),
    isFailureStatus: (status) => status === 418,
    options: () => ({ volumeThreshold: 1 }),
  })
  await existing.get('/204')
  await existing.get('/201')
  await caught(existing.get('/418'))
  expect([...registry].map(({ name, state }) => [name, state])).toEqual([
    ['users /201', 'closed'],
    ['users /418', 'open'],
  ])
})

test.each([
  [{ keyOf: 1 }, /keyOf must be a function/],
  [{ registry: {} }, /registry must be a Registry/],
  [{ options: { timeout: -1 } }, /timeout/],
  [{ strange: 1 }, /there is no "strange"/],
])('%j is refused', (options, message) => {
  expect(() => breakerAdapter(options as AxiosBreakerOptions)).toThrow(InvalidOptionError)
  expect(() => breakerAdapter(options as AxiosBreakerOptions)).toThrow(message)
})
