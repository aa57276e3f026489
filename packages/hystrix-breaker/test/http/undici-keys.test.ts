import { once } from 'node:events'
import { createServer } from 'node:net'
import { InvalidOptionError, Registry } from '@loadbearing/hystrix-breaker'
import { type BreakerInterceptorOptions, breakerInterceptor } from '@loadbearing/hystrix-breaker/undici'
import { describe, expect, test } from 'vitest'
import { served } from '../stream/served.ts'
import { errorOf, guarded } from './undici-stand.ts'
import { undicis } from './undicis.ts'

describe.each(undicis)('$name', ({ undici }) => {
  const { Agent, Client, interceptors, request } = undici

  test('each origin has its own breaker, as many as the registry keeps', async () => {
    await using one = await guarded(undici)
    await using two = await served((_, response) => void response.end())
    await one.ask('/500')
    await one.ask('/500')
    const { statusCode, body } = await request(two.url, { dispatcher: one.dispatcher })
    await body.dump()
    expect(statusCode).toBe(200)
    expect([...one.registry].map(({ name, state }) => [name, state])).toEqual([
      [one.url, 'open'],
      [two.url, 'closed'],
    ])

    // That of undici 7 tells no origin where the request has none.
    const client = new Client(two.url)
    const registry = new Registry()
    const composed = client.compose(breakerInterceptor({ registry }))
    const { origin } = new URL(two.url)
    await (await composed.request({ origin, path: '/', method: 'GET' })).body.dump()
    expect([...registry].map(({ name }) => name)).toEqual([two.url])
    await client.close()
  })

  test('among other interceptors: retries outside count each, errors made of answers inside count by their status', async () => {
    let asked = 0
    await using server = await served((_, response) => {
      response.writeHead(asked++ < 2 ? 503 : 200).end('done')
    })
    const agent = new Agent()
    const registry = new Registry()
    const retrying = agent.compose(
      breakerInterceptor({ registry, options: { volumeThreshold: 9 } }),
      interceptors.retry({ minTimeout: 1, maxTimeout: 1 }),
    )
    const { statusCode, body } = await request(server.url, { dispatcher: retrying })
    expect([statusCode, await body.text()]).toEqual([200, 'done'])
    expect(registry.get(server.url)?.counts).toMatchObject({ total: 3, failures: 2 })

    await using it = await guarded(undici)
    const throwing = agent.compose(
      interceptors.responseError(),
      breakerInterceptor({ registry: it.registry, options: { volumeThreshold: 9 } }),
    )
    for (const path of ['/404', '/404', '/500'])
      expect(await errorOf(request(it.url + path, { dispatcher: throwing }))).toMatchObject({
        code: 'UND_ERR_RESPONSE',
      })
    expect(it.breaker.counts).toMatchObject({ total: 3, failures: 1 })
    await agent.close()
  })

  test('keyOf names breakers, leaves requests unguarded, and fails alone', async () => {
    const key = { of: (): string | undefined => 'users' }
    await using it = await guarded(undici, { keyOf: () => key.of() })
    await it.ask('/500')
    await it.ask('/500')
    expect(it.registry.get('users')?.state).toBe('open')
    key.of = () => undefined
    expect(await it.ask('/200')).toEqual([200, 'done'])
    key.of = () => {
      throw new Error('no key')
    }
    expect(await errorOf(it.ask('/200'))).toMatchObject({ message: 'no key' })
  })

  test('a disposed breaker ends what is under way, and sends nothing more', async () => {
    await using it = await guarded(undici, { options: { timeout: '1m' } })
    const asked = errorOf(it.ask('/hang'))
    await it.until(() => it.held.length === 1)
    const closed = once(it.held[0]?.request.socket ?? process, 'close')
    const { breaker } = it
    await breaker[Symbol.asyncDispose]()
    expect(await asked).toMatchObject({ code: 'DISPOSED' })
    await closed
    expect(await errorOf(it.ask('/200'))).toMatchObject({ code: 'DISPOSED' })
    expect(it.seen).toEqual(['/hang'])
  })

  test('a server that speaks no HTTP is a failure', async () => {
    const server = createServer((socket) => void socket.end('SSH-2.0-nothing\r\n')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    await using it = await guarded(undici)
    expect(await errorOf(request(`http://127.0.0.1:${port}`, { dispatcher: it.dispatcher }))).toMatchObject({
      name: 'HTTPParserError',
    })
    expect(it.registry.get(`http://127.0.0.1:${port}`)?.counts).toMatchObject({ total: 1, failures: 1 })
    server.close()
  })
})

test.each([
  [{ settleAt: 'body' }, /settleAt must be end or headers, not "body"/],
  [{ keyOf: 1 }, /keyOf must be a function/],
  [{ registry: {} }, /registry must be a Registry/],
  [{ isFailureStatus: 500 }, /isFailureStatus must be a function/],
  [{ options: { volumeThreshold: -1 } }, /volumeThreshold/],
  [{ options: { name: 'x' } }, /name cannot be given/],
  [{ options: 5 }, /options must be an object, not 5/],
  [{ option: {} }, /there is no "option"/],
])('%j is refused', (options, message) => {
  expect(() => breakerInterceptor(options as BreakerInterceptorOptions)).toThrow(message)
  expect(() => breakerInterceptor(options as BreakerInterceptorOptions)).toThrow(InvalidOptionError)
})
