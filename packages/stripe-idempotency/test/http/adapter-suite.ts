import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { memoryStore } from '@loadbearing/stripe-idempotency'
import { afterEach, expect, test } from 'vitest'
import {
  type Application,
  application,
  gzipped,
  megabytes,
  png,
  type Serve,
  type Served,
  type ServeOptions,
} from './application.ts'

interface World {
  readonly app: Application
  readonly served: Served
  post(path: string, options?: Post): Promise<Response>
  /** The bytes as they came over the wire. */
  raw(
    path: string,
    headers: Record<string, string>,
    write: (request: ClientRequest) => void,
  ): Promise<IncomingMessage>
}

interface Post {
  readonly key?: string | null
  readonly account?: string | null
  readonly body?: NonNullable<RequestInit['body']>
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What every adapter does, on real sockets. */
export function adapterSuite(serve: Serve): void {
  const open: AsyncDisposable[] = []
  afterEach(async () => {
    for (const each of open.splice(0)) await each[Symbol.asyncDispose]()
  })

  async function world(options: Partial<ServeOptions> = {}): Promise<World> {
    const app = application()
    const store = options.store ?? memoryStore()
    const served = await serve(app, {
      mode: 'stripe-v1',
      maxBodyBytes: 2 ** 20,
      maxResponseBytes: 2 ** 22,
      ...options,
      store,
    })
    open.push(served, store)
    return {
      app,
      served,
      post: (path, { key = 'k', account = 'acct_1', body = '{"amount":5}', method = 'POST', headers } = {}) =>
        fetch(served.url + path, {
          method,
          ...(method !== 'GET' && { body }),
          headers: {
            'accept-encoding': 'identity',
            ...(typeof body === 'string' && method !== 'GET' && { 'content-type': 'application/json' }),
            ...(key !== null && { 'idempotency-key': key }),
            ...(account !== null && { 'x-account': account }),
            ...headers,
          },
        }),
      raw: (path, headers, write) => {
        const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
        const request = httpRequest(served.url + path, {
          method: 'POST',
          headers: {
            'x-account': 'acct_1',
            'idempotency-key': 'k',
            'content-type': 'application/json',
            ...headers,
          },
        })
        request.on('response', resolve).on('error', reject)
        write(request)
        return promise
      },
    }
  }

  async function bytes(response: Response): Promise<Buffer> {
    return Buffer.from(await response.arrayBuffer())
  }

  const replayed = (response: Response): boolean => response.headers.get('idempotent-replayed') === 'true'

  test('executes once, and replays with the headers that describe the answer', async () => {
    const { app, post } = await world()
    const first = await post('/charges')
    const second = await post('/charges')
    const body = await bytes(first)
    expect(JSON.parse(body.toString())).toEqual({ count: 1, path: '/charges' })
    expect(await bytes(second)).toEqual(body)
    expect([first.status, second.status]).toEqual([201, 201])
    expect([replayed(first), replayed(second)]).toEqual([false, true])
    expect(second.headers.get('location')).toBe('/charges/1')
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(first.headers.get('request-id')).toMatch(/^req_/)
    expect(second.headers.get('original-request')).toBe(first.headers.get('request-id'))
    expect(second.headers.get('request-id')).not.toBe(first.headers.get('request-id'))
    expect(second.headers.get('cache-control')).toBe('no-store')
    expect([first, second].map(({ headers }) => headers.get('idempotency-key'))).toEqual(['k', 'k'])
    // Sent once, and never kept.
    expect(first.headers.getSetCookie()).toEqual(['session=1'])
    expect(second.headers.getSetCookie()).toEqual([])
    expect([first.headers.get('x-not-kept'), second.headers.get('x-not-kept')]).toEqual([
      'of this exchange',
      null,
    ])
    expect(app.executions.get('/charges')).toBe(1)
    expect(app.bodies.map(String)).toEqual(['{"amount":5}'])
  })

  test('what middleware in front has set stays, on whatever is answered', async () => {
    const { app, post } = await world()
    const ask = async (path: string, origin: string, other: Post = {}): Promise<unknown[]> => {
      const response = await post(path, { headers: { origin }, ...other })
      await response.arrayBuffer()
      const { status, headers } = response
      const names = ['access-control-allow-origin', 'strict-transport-security']
      return [status, replayed(response), ...names.map((name) => headers.get(name))]
    }
    const [a, b] = ['https://a.example', 'https://b.example']
    expect(await ask('/charges', a)).toEqual([201, false, a, 'max-age=1'])
    expect(await ask('/charges', a)).toEqual([201, true, a, 'max-age=1'])
    // Of this exchange, and not of the first one.
    expect(await ask('/charges', b)).toEqual([201, true, b, 'max-age=1'])
    expect(await ask('/charges', a, { body: '{"amount":6}' })).toEqual([400, false, a, 'max-age=1'])
    expect(await ask('/charges', a, { body: 'x'.repeat(2 ** 20 + 1) })).toEqual([413, false, a, 'max-age=1'])
    const slow = ask('/slow', a, { key: 'slow' })
    await app.begun.promise
    expect(await ask('/slow', b, { key: 'slow' })).toEqual([409, false, b, 'max-age=1'])
    app.gate.resolve()
    expect(await slow).toEqual([201, false, a, 'max-age=1'])
  })

  test('has no effect without a key, and on other methods', async () => {
    const { app, post } = await world()
    for (let n = 0; n < 2; n++) {
      const response = await post('/charges', { key: null })
      expect([response.status, response.headers.get('idempotency-key')]).toEqual([201, null])
      await response.arrayBuffer()
    }
    await (await post('/charges')).arrayBuffer()
    for (let n = 0; n < 2; n++) {
      const got = await post('/charges', { method: 'GET' })
      expect([got.status, replayed(got)]).toEqual([201, false])
      await got.arrayBuffer()
    }
    expect(app.executions.get('/charges')).toBe(5)
  })

  test.each([
    ['/204', 204, Buffer.alloc(0)],
    ['/205', 205, Buffer.alloc(0)],
    ['/304', 304, Buffer.alloc(0)],
    ['/empty', 200, Buffer.alloc(0)],
    ['/false', 200, Buffer.from('false')],
    ['/png', 200, png],
    ['/gzip', 200, Buffer.from('compressed by the handler itself')],
    ['/large', 200, Buffer.concat(megabytes)],
  ])('%s is replayed to the byte', async (path, status, body) => {
    const { app, post } = await world()
    const first = await post(path)
    expect(Buffer.compare(await bytes(first), body)).toBe(0)
    const second = await post(path)
    expect(Buffer.compare(await bytes(second), body)).toBe(0)
    expect([first.status, second.status]).toEqual([status, status])
    expect(replayed(second)).toBe(true)
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(second.headers.get('content-encoding')).toBe(path === '/gzip' ? 'gzip' : null)
    expect(app.executions.get(path)).toBe(1)
  })

  test('what the handler has compressed goes over the wire as it was', async () => {
    const { raw } = await world()
    for (let n = 0; n < 2; n++) {
      const response = await raw('/gzip', { 'accept-encoding': 'gzip' }, (request) => request.end('{}'))
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      expect(Buffer.concat(chunks).equals(gzipped)).toBe(true)
      expect(response.headers['content-encoding']).toBe('gzip')
    }
  })

  test('a compression in front works on what is replayed as well', async () => {
    const { post } = await world()
    const text = 'compressible '.repeat(1000)
    const answers: [string, string | null][] = []
    for (const coding of ['gzip', 'identity', 'gzip']) {
      const response = await post('/text', { headers: { 'accept-encoding': coding } })
      expect(await response.text()).toBe(text)
      answers.push([coding, response.headers.get('content-encoding')])
    }
    expect(answers).toEqual([
      ['gzip', 'gzip'],
      ['identity', null],
      ['gzip', 'gzip'],
    ])
  })

  test('an answer that is too large to keep is sent once, and is not executed again', async () => {
    const { app, post } = await world({ maxResponseBytes: 1000 })
    expect((await bytes(await post('/large-tombstone'))).length).toBe(megabytes.length * 65_536)
    const second = await post('/large-tombstone')
    expect(second.status).toBe(409)
    expect(await second.json()).toMatchObject({ error: { code: 'idempotency_response_unavailable' } })
    expect(app.executions.get('/large-tombstone')).toBe(1)
  })

  test('events reach the client as they are produced, and are replayed whole', async () => {
    const { app, post } = await world()
    const first = await post('/events')
    const reader = first.body?.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader?.read())?.value).toBe('data: 1\n\n')
    const during = await post('/events')
    expect(during.status).toBe(409)
    await during.arrayBuffer()
    app.gate.resolve()
    expect((await reader?.read())?.value).toBe('data: last\n\n')
    expect((await reader?.read())?.done).toBe(true)
    const second = await post('/events')
    expect([replayed(second), await second.text()]).toEqual([true, 'data: 1\n\ndata: last\n\n'])
    expect(second.headers.get('content-type')).toContain('text/event-stream')
  })

  test('what the framework makes of an error is what is kept', async () => {
    const { app, post } = await world()
    const first = await post('/throw')
    const body = await bytes(first)
    const second = await post('/throw')
    expect([first.status, second.status, replayed(second)]).toEqual([500, 500, true])
    expect(body.length).toBeGreaterThan(0)
    expect(await bytes(second)).toEqual(body)
    expect([first, second].map(({ headers }) => headers.get('stripe-should-retry'))).toEqual([
      'false',
      'false',
    ])
    expect(app.executions.get('/throw')).toBe(1)
  })

  test('in v2 a failure is carried out again, and a success is not', async () => {
    const { app, post } = await world({ mode: 'stripe-v2' })
    const statuses: number[] = []
    for (let n = 0; n < 3; n++) {
      const response = await post('/502', { method: 'DELETE' })
      statuses.push(response.status)
      await response.arrayBuffer()
    }
    expect(statuses).toEqual([502, 201, 201])
    expect(app.executions.get('/502')).toBe(2)
  })

  test('a request that was refused before execution is not kept', async () => {
    const { app, post } = await world()
    const bad = await post('/invalid', { body: '{"amount":"bad"}' })
    expect([bad.status, await bad.json()]).toEqual([400, { error: 'bad' }])
    const good = await post('/invalid', { body: '{"amount":5}' })
    expect([good.status, replayed(good)]).toEqual([201, false])
    await good.arrayBuffer()
    expect(app.executions.get('/invalid')).toBe(1)
  })

  test('what authentication and rate limits refuse never reaches the key, and a replay is authenticated', async () => {
    const { app, post } = await world()
    const status = async (options: Post): Promise<number> => {
      const response = await post('/charges', options)
      await response.arrayBuffer()
      return response.status
    }
    expect(await status({ account: null })).toBe(401)
    expect(await status({ headers: { 'x-limited': '1' } })).toBe(429)
    expect(await status({})).toBe(201)
    expect(await status({ account: null })).toBe(401)
    expect(app.executions.get('/charges')).toBe(1)
  })

  test('without a scope a key is refused; tenants do not meet', async () => {
    const { app, post } = await world()
    const refused = await post('/charges', { account: 'nobody' })
    expect(refused.status).toBe(500)
    await refused.arrayBuffer()
    expect(app.executions.get('/charges')).toBeUndefined()
    for (const account of ['acct_1', 'acct_2']) {
      const response = await post('/charges', { account })
      expect([response.status, replayed(response)]).toEqual([201, false])
      await response.arrayBuffer()
    }
    expect(app.executions.get('/charges')).toBe(2)
  })

  test('another body, query or path is a mismatch, also while the first is at work', async () => {
    const { app, post } = await world()
    const first = post('/slow?a=1')
    await app.begun.promise
    const problem = async (path: string, options: Post): Promise<unknown> => {
      const response = await post(path, options)
      const { error }: { error: { type: string; message: string } } = JSON.parse(await response.text())
      return [response.status, error.type, /endpoint|parameters|in-progress/.exec(error.message)?.[0]]
    }
    const all = async (): Promise<unknown[]> => [
      await problem('/slow?a=1', { body: '{"amount":6}' }),
      await problem('/slow?a=2', {}),
      await problem('/other', {}),
    ]
    const mismatches = [
      [400, 'idempotency_error', 'parameters'],
      [400, 'idempotency_error', 'parameters'],
      [400, 'idempotency_error', 'endpoint'],
    ]
    expect(await all()).toEqual(mismatches)
    expect(await problem('/slow?a=1', {})).toEqual([409, 'invalid_request_error', 'in-progress'])
    app.gate.resolve()
    expect((await first).status).toBe(201)
    expect(await all()).toEqual(mismatches)
    const again = await post('/slow?a=1')
    expect([replayed(again), (await again.json()) as unknown]).toEqual([true, { count: 1, path: '/slow' }])
  })

  test('of 20 at the same time one executes, and those that wait have its answer', async () => {
    const { app, post } = await world({ wait: '20s' })
    const all = Array.from({ length: 20 }, () => post('/slow'))
    await app.begun.promise
    app.gate.resolve()
    const responses = await Promise.all(all)
    const bodies = await Promise.all(responses.map((response) => response.text()))
    expect(new Set(bodies)).toEqual(new Set([JSON.stringify({ count: 1, path: '/slow' })]))
    expect(responses.filter(replayed)).toHaveLength(19)
    expect(app.executions.get('/slow')).toBe(1)
  })

  test('a client that goes away cancels nothing', async () => {
    const { app, served, raw, post } = await world()
    let left: ClientRequest | undefined
    const gone = raw('/slow', {}, (request) => {
      left = request
      request.end('{"amount":5}')
    }).catch((error: unknown) => error)
    await app.begun.promise
    left?.destroy()
    expect(await gone).toBeInstanceOf(Error)
    await served.deserted()
    app.gate.resolve()
    const again = await until(post, '/slow')
    expect([again.status, await again.text()]).toEqual([201, JSON.stringify({ count: 1, path: '/slow' })])
    expect(app.executions.get('/slow')).toBe(1)
  })

  test('a client that goes away in the middle of a stream cancels nothing', async () => {
    const { app, served, raw, post } = await world()
    const first = await raw('/events', {}, (request) => request.end('{"amount":5}'))
    await once(first, 'data')
    first.on('error', () => {}).socket.resetAndDestroy()
    await served.deserted()
    app.gate.resolve()
    const again = await until(post, '/events')
    expect(await again.text()).toBe('data: 1\n\ndata: last\n\n')
    expect(app.executions.get('/events')).toBe(1)
  })

  test.each([
    ['gzip', gzipSync('{ "amount": 5 }')],
    ['br', brotliCompressSync('{"amount":5}')],
  ])('a body in %s is the same request', async (coding, body) => {
    const { app, post } = await world()
    await (await post('/charges')).arrayBuffer()
    const again = await post('/charges', {
      body,
      headers: { 'content-type': 'application/json', 'content-encoding': coding },
    })
    expect([again.status, replayed(again)]).toEqual([201, true])
    await again.arrayBuffer()
    expect(app.executions.get('/charges')).toBe(1)
  })

  test('a body of many bytes without a length is refused, by what is received', async () => {
    const { app, raw } = await world({ maxBodyBytes: 100_000 })
    let sent = 0
    const chunk = Buffer.alloc(65_536, 'a')
    const response = await raw('/charges', {}, (request) => {
      const more = (): void => {
        // 1 GB, unless it is refused.
        for (; sent < 16_384; sent++) if (!request.write(chunk)) return
        request.end()
      }
      request.on('drain', more).on('response', () => {
        sent = 20_000
        request.end()
      })
      more()
    })
    expect(response.statusCode).toBe(413)
    response.resume()
    expect(app.executions.size).toBe(0)
  })

  test('a small body that unpacks to a large one is refused', async () => {
    const { app, post } = await world({ maxBodyBytes: 100_000 })
    const body = gzipSync(Buffer.alloc(50_000_000, 'a'))
    const response = await post('/charges', {
      body,
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    })
    expect(response.status).toBe(413)
    await response.arrayBuffer()
    expect(app.executions.size).toBe(0)
  })

  test('large numbers differ, the order of members and the boundary do not', async () => {
    const { post } = await world()
    const status = async (path: string, body: Post['body']): Promise<unknown> => {
      const response = await post(path, { key: path, ...(body !== undefined && { body }) })
      await response.arrayBuffer()
      return [response.status, replayed(response)]
    }
    expect(await status('/n', '{"n":9007199254740992,"m":1}')).toEqual([201, false])
    expect(await status('/n', '{"n":9007199254740993,"m":1}')).toEqual([400, false])
    expect(await status('/n', '{ "m":1, "n":9007199254740992 }')).toEqual([201, true])
    const form = (...names: string[]): FormData => {
      const data = new FormData()
      for (const each of names) data.append(each, new Blob([`file ${each}`]), `${each}.bin`)
      return data
    }
    expect(await status('/m', form('a', 'b'))).toEqual([201, false])
    expect(await status('/m', form('b', 'a'))).toEqual([201, true])
    expect(await status('/m', form('a', 'c'))).toEqual([400, false])
  })

  test.each(['/charges', '/204', '/throw', '/large', '/sized'])(
    'nobody has all of the answer of %s before it is stored',
    async (path) => {
      const happened: string[] = []
      const store = memoryStore()
      const slow = new Proxy(store, {
        get: (target, method) => {
          const value: unknown = Reflect.get(target, method)
          if (typeof value !== 'function') return value
          if (method !== 'complete') return value.bind(target)
          return async (...given: Parameters<typeof store.complete>) => {
            // Whatever was sent before these were has arrived when they are answered.
            for (let n = 0; n < 20; n++)
              await (await sent.promise)('/other', { key: null }).then((each) => each.text())
            happened.push('stored')
            return target.complete(...given)
          }
        },
      })
      const sent = Promise.withResolvers<World['post']>()
      const { post } = await world({ store: slow })
      sent.resolve(post)
      const response = await post(path)
      if (path !== '/large' && path !== '/sized') happened.push('answered')
      await response.arrayBuffer()
      happened.push('read')
      expect(happened.filter((each) => each !== 'answered')).toEqual(['stored', 'read'])
      expect(happened[0]).toBe('stored')
    },
  )

  test('a store that is down is answered with 503, and nothing is executed', async () => {
    const store = memoryStore()
    const down = new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (name === 'claim') return () => Promise.reject(new Error('connection refused'))
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const { app, post } = await world({ store: down })
    const response = await post('/charges')
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
    await response.arrayBuffer()
    expect(app.executions.size).toBe(0)
  })
}

/** Asks until the one at work is done. */
async function until(post: World['post'], path: string): Promise<Response> {
  for (;;) {
    const response = await post(path)
    if (response.status !== 409) return response
    await response.arrayBuffer()
  }
}
