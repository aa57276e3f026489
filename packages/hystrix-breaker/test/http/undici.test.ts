import { once } from 'node:events'
import { Readable } from 'node:stream'
import { isResilienceError } from '@loadbearing/hystrix-breaker'
import { FailureStatusError } from '@loadbearing/hystrix-breaker/undici'
import { describe, expect, test, vi } from 'vitest'
import { errorOf, guarded } from './undici-stand.ts'
import { undicis } from './undicis.ts'

describe.each(undicis)('$name', ({ undici }) => {
  const { getGlobalDispatcher, request, setGlobalDispatcher, fetch: undiciFetch, upgrade } = undici

  test('server errors open, the open circuit refuses without a request, a probe closes it', async () => {
    await using it = await guarded(undici)
    const executions: unknown[] = []
    expect(await it.ask('/404')).toEqual([404, 'done'])
    it.breaker.on('execution', ({ error }) => executions.push(error))
    expect(await it.ask('/500')).toEqual([500, 'done'])
    expect(it.breaker.state).toBe('open')
    expect(executions).toEqual([expect.any(FailureStatusError)])
    expect(executions[0]).toMatchObject({ status: 500, message: `${it.url} answered 500` })

    it.clock.advance(400)
    const error = await errorOf(it.ask('/200'))
    expect(isResilienceError(error)).toBe(true)
    expect(error).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfter: 600 })
    expect(it.seen).toEqual(['/404', '/500'])

    it.clock.advance(600)
    expect(await it.ask('/503')).toEqual([503, 'done'])
    expect(it.breaker.state).toBe('open')
    it.clock.advance(1000)
    expect(await it.ask('/200')).toEqual([200, 'done'])
    expect(it.breaker.state).toBe('closed')
    expect(it.breaker.metrics.total()).toMatchObject({ SUCCESS: 2, FAILURE: 2, SHORT_CIRCUITED: 1 })
  })

  test('no status below 500 counts as failed, and isFailureStatus says otherwise', async () => {
    await using usual = await guarded(undici)
    for (const status of [200, 204, 301, 400, 401, 404, 408, 429, 499]) await usual.ask(`/${status}`)
    expect(usual.breaker.counts).toMatchObject({ total: 9, failures: 0 })
    await using gateway = await guarded(undici, {
      isFailureStatus: (status) => [502, 503, 504].includes(status),
    })
    await gateway.ask('/500')
    await gateway.ask('/501')
    expect(gateway.breaker.counts).toMatchObject({ total: 2, failures: 0 })
    await gateway.ask('/502')
    await gateway.ask('/504')
    expect(gateway.breaker.state).toBe('open')
  })

  test('fetch has the refusal as its cause, by option and by the global dispatcher, of undici and of Node', async () => {
    await using it = await guarded(undici)
    for (const path of ['/500', '/502'])
      expect((await undiciFetch(it.url + path, { dispatcher: it.dispatcher })).ok).toBe(false)
    const error = await errorOf(undiciFetch(`${it.url}/200`, { dispatcher: it.dispatcher }))
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ cause: { code: 'CIRCUIT_OPEN', retryAfter: 1000 } })

    const before = getGlobalDispatcher()
    setGlobalDispatcher(it.dispatcher)
    try {
      expect(await errorOf(undiciFetch(`${it.url}/200`))).toMatchObject({ cause: { code: 'CIRCUIT_OPEN' } })
      expect(await errorOf(fetch(`${it.url}/200`))).toMatchObject({ cause: { code: 'CIRCUIT_OPEN' } })
      it.clock.advance(1000)
      expect(await (await fetch(`${it.url}/200`)).text()).toBe('done')
      expect(it.breaker.state).toBe('closed')
    } finally {
      setGlobalDispatcher(before)
    }
    expect(it.seen).toEqual(['/500', '/502', '/200'])
  })

  test('a connection that cannot be made, is reset, or breaks off in the body counts as failed', async () => {
    await using it = await guarded(undici)
    await it.ask('/200')
    expect(it.breaker.counts).toMatchObject({ total: 1, failures: 0 })
    const { statusCode, body } = await request(`${it.url}/half`, { dispatcher: it.dispatcher })
    expect(statusCode).toBe(200)
    expect(it.breaker.counts).toMatchObject({ total: 1, failures: 0 })
    it.server.server.closeAllConnections()
    await errorOf(body.text())
    expect(it.breaker.counts).toMatchObject({ total: 0 })
    expect(it.breaker.state).toBe('open')
    it.clock.advance(1000)
    expect(await errorOf(it.ask('/reset'))).toMatchObject({ code: 'UND_ERR_SOCKET' })
    expect(it.breaker.state).toBe('open')
    it.clock.advance(1000)
    await it.server[Symbol.asyncDispose]()
    expect(await errorOf(it.ask('/200'))).toMatchObject({ code: 'ECONNREFUSED' })
    expect(it.breaker.state).toBe('open')
  })

  test('a caller that gives up counts neither way, and its probe goes to the next one', async () => {
    await using it = await guarded(undici)
    await it.ask('/200')
    for (let n = 1; n <= 50; n++) {
      const controller = new AbortController()
      const asked = errorOf(it.ask('/hang', { signal: controller.signal }))
      await it.until(() => it.held.length === n)
      controller.abort(new Error('enough'))
      expect(await asked).toMatchObject({ message: 'enough' })
    }
    // Before it is sent, and in the middle of an answer.
    expect(await errorOf(it.ask('/200', { signal: AbortSignal.abort(new Error('early')) }))).toMatchObject({
      message: 'early',
    })
    const { body } = await request(`${it.url}/stream`, { dispatcher: it.dispatcher })
    body.on('error', () => {}).destroy()
    const fetched = await undiciFetch(`${it.url}/stream`, { dispatcher: it.dispatcher })
    await fetched.body?.cancel()
    expect(it.breaker.counts).toMatchObject({ total: 1, failures: 0 })

    await it.ask('/500')
    expect(it.breaker.state).toBe('open')
    it.clock.advance(1000)
    const controller = new AbortController()
    const before = it.held.length
    const probe = errorOf(it.ask('/hang', { signal: controller.signal }))
    await it.until(() => it.held.length > before)
    expect(await errorOf(it.ask('/200'))).toMatchObject({ code: 'CIRCUIT_OPEN' })
    controller.abort()
    await probe
    expect(it.breaker.state).toBe('half-open')
    expect(await it.ask('/200')).toEqual([200, 'done'])
    expect(it.breaker.state).toBe('closed')
    expect(it.breaker.calls).toEqual({ running: 0, queued: 0 })
  })

  test('a request that waits for its place can be given up, and takes none', async () => {
    await using it = await guarded(undici, {
      options: { bulkhead: { max: 1, queue: 1 }, volumeThreshold: 9 },
    })
    const first = it.ask('/hang')
    await it.until(() => it.held.length === 1)
    const controller = new AbortController()
    const second = errorOf(it.ask('/200', { signal: controller.signal }))
    expect(it.breaker.calls).toEqual({ running: 1, queued: 1 })
    expect(await errorOf(it.ask('/200'))).toMatchObject({ code: 'BULKHEAD_FULL' })
    controller.abort(new Error('enough'))
    expect(await second).toMatchObject({ message: 'enough' })
    expect(it.breaker.calls).toEqual({ running: 1, queued: 0 })
    const third = it.ask('/201')
    it.held[0]?.response.end('late')
    expect(await first).toEqual([200, 'late'])
    expect(await third).toEqual([201, 'done'])
    expect(it.seen).toEqual(['/hang', '/201'])
  })

  test('the time limit ends its own request alone, before and within the answer', async () => {
    await using it = await guarded(undici, { options: { timeout: 300, volumeThreshold: 9 } })
    const made = vi.spyOn(globalThis, 'AbortController')
    try {
      const slow = errorOf(it.ask('/hang'))
      await it.until(() => it.held.length === 1)
      const closed = once(it.held[0]?.request.socket ?? process, 'close')
      it.clock.advance(200)
      const other = it.ask('/hang')
      await it.until(() => it.held.length === 2)
      it.clock.advance(100)
      expect(await slow).toMatchObject({ code: 'TIMEOUT' })
      await closed
      it.held[1]?.response.end('in time')
      expect(await other).toEqual([200, 'in time'])
      const { body } = await request(`${it.url}/stream`, { dispatcher: it.dispatcher })
      it.clock.advance(300)
      expect(await errorOf(body.text())).toMatchObject({ code: 'TIMEOUT' })
      expect(made).not.toHaveBeenCalled()
    } finally {
      made.mockRestore()
    }
    expect(it.breaker.counts).toMatchObject({ total: 3, failures: 2 })
  })

  test('bodies stream both ways, and a body of ours that fails is not the fault of the origin', async () => {
    await using it = await guarded(undici)
    const { body } = await request(`${it.url}/echo`, {
      dispatcher: it.dispatcher,
      method: 'POST',
      body: Readable.from(['a', 'b', 'c']),
    })
    expect(await body.text()).toBe('abc')
    const big = Buffer.alloc(1_000_000, 'x')
    const echoed = await undiciFetch(`${it.url}/echo`, {
      dispatcher: it.dispatcher,
      method: 'POST',
      body: big,
    })
    expect((await echoed.bytes()).length).toBe(big.length)
    for (let n = 0; n < 3; n++) {
      const broken = new Readable({ read: () => {} })
      const asked = errorOf(
        request(`${it.url}/echo`, { dispatcher: it.dispatcher, method: 'POST', body: broken }),
      )
      broken.destroy(new Error('our file'))
      expect(await asked).toMatchObject({ message: 'our file' })
    }
    expect(it.breaker.counts).toMatchObject({ total: 2, failures: 0 })
    // The body of a refused request is not left open.
    it.breaker.force('forced-open')
    const refused = new Readable({ read: () => {} })
    await errorOf(request(`${it.url}/echo`, { dispatcher: it.dispatcher, method: 'POST', body: refused }))
    expect(refused.destroyed).toBe(true)
  })

  test('where streams have no end, their headers are enough', async () => {
    await using it = await guarded(undici, { settleAt: 'headers' })
    const { body } = await request(`${it.url}/stream`, { dispatcher: it.dispatcher })
    expect(it.breaker.counts).toMatchObject({ total: 1, failures: 0 })
    expect(it.breaker.calls.running).toBe(0)
    it.held[0]?.response.end(' and last')
    expect(await body.text()).toBe('first and last')
    expect(it.breaker.counts).toMatchObject({ total: 1, failures: 0 })
  })

  test('upgrades and CONNECT pass through, and count', async () => {
    await using it = await guarded(undici)
    it.server.server.on('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
      socket.pipe(socket)
    })
    it.server.server.on('connect', (_, socket) => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(socket)
    })
    const upgraded = await upgrade(it.url, { dispatcher: it.dispatcher, protocol: 'echo' })
    upgraded.socket.end('over')
    expect(String(await once(upgraded.socket, 'data'))).toBe('over')
    const connected = await it.dispatcher.connect({ origin: it.url, path: 'example.org:443' })
    connected.socket.end('through')
    expect(String(await once(connected.socket, 'data'))).toBe('through')
    expect(it.breaker.counts).toMatchObject({ total: 2, failures: 0 })
    it.breaker.force('forced-open')
    expect(await errorOf(upgrade(it.url, { dispatcher: it.dispatcher, protocol: 'echo' }))).toMatchObject({
      code: 'CIRCUIT_OPEN',
    })
  })

  test('what is closed or destroyed on this side, or invalid, does not count', async () => {
    await using it = await guarded(undici)
    await it.ask('/200')
    expect(
      await errorOf(
        request(it.url, {
          dispatcher: it.dispatcher,
          method: 'POST',
          headers: { 'content-length': '1' },
          body: 'ab',
        }),
      ),
    ).toMatchObject({ code: 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' })
    expect(
      await errorOf(request(it.url, { dispatcher: it.dispatcher, headers: { 'a b': 'c' } })),
    ).toMatchObject({ code: 'UND_ERR_INVALID_ARG' })
    const asked = errorOf(it.ask('/hang'))
    await it.until(() => it.held.length === 1)
    await it.agent.destroy()
    expect(await asked).toMatchObject({ code: 'UND_ERR_DESTROYED' })
    expect(await errorOf(it.ask('/200'))).toMatchObject({ code: 'UND_ERR_DESTROYED' })
    expect(it.breaker.counts).toMatchObject({ total: 1, failures: 0 })
    expect(it.breaker.calls).toEqual({ running: 0, queued: 0 })
  })
})
