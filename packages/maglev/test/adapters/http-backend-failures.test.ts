import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { eventually, refusedPort } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import { DeafBackend, TestBackend } from './backends.ts'
import { ask, bodyOf, HttpBackend, mirror, mirrored, raw, responseTo, running } from './http-stand.ts'

describe('backends that fail', () => {
  test('none there is 503, none reachable 502, none that answers in time 504', async () => {
    await using empty = await running([])
    expect(await ask(empty.port)).toMatchObject({ status: 503, body: '503 Service Unavailable\n' })
    expect(empty.ends).toMatchObject([{ outcome: 'no-backend', error: { code: 'NO_BACKEND' } }])

    await using first = await refusedPort()
    await using second = await refusedPort()
    await using down = await running([first.address, second.address])
    expect(await ask(down.port, { method: 'POST', body: 'x' })).toMatchObject({
      status: 502,
      body: '502 Bad Gateway\n',
    })
    expect(down.ends).toMatchObject([{ outcome: 'unreachable', error: { code: 'BACKEND_UNREACHABLE' } }])
    expect(down.balancer.reports.map(([, result]) => result)).toEqual(['gateway-failure', 'gateway-failure'])

    await using deaf = await DeafBackend.start()
    await using hanging = await running([deaf.id], { connectTimeout: 50 })
    expect(await ask(hanging.port)).toMatchObject({ status: 504, body: '504 Gateway Timeout\n' })

    await using silent = await HttpBackend.start(() => {})
    await using waiting = await running([silent.id], { timeout: 50 })
    expect(await ask(waiting.port)).toMatchObject({ status: 504 })
    expect(waiting.ends).toMatchObject([{ outcome: 'timed-out', error: { code: 'TIMED_OUT' } }])
    expect(waiting.balancer).toMatchObject({ active: 0, reports: [[silent.id, 'gateway-failure']] })
  })

  test('no answer for want of a backend costs the client its connection', async () => {
    await using empty = await running([])
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (let n = 0; n < 3; n++) expect((await ask(empty.port, { agent })).status).toBe(503)
    expect(empty.proxy.stats()).toMatchObject({ accepted: 1, ended: { 'no-backend': 3 } })
    agent.destroy()
  })

  test('a request that was not sent goes to the next distinct owner, body and all', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using first = await refusedPort()
    await using second = await refusedPort()
    await using proxied = await running([first.address, second.address, backend.id])
    for (const method of ['GET', 'POST']) {
      const answer = await ask(proxied.port, { method, body: method === 'POST' ? 'the body' : '' })
      expect(mirrored(answer)).toMatchObject({ method, body: method === 'POST' ? 'the body' : '' })
    }
    const { acquired } = proxied.balancer
    expect(proxied.proxy.stats().retries).toBe(acquired.length - 2)
    const half = acquired.slice(0, acquired.length / 2)
    expect(new Set(half).size).toBe(half.length)
    expect(half.at(-1)).toBe(backend.id)
  })

  /** Two backends; the first that is asked resets after the head of the request, the other one answers. */
  async function resetting(): Promise<{ ids: string[]; asked: string[] } & AsyncDisposable> {
    const asked: string[] = []
    const serve = (socket: Socket, id: string): void => {
      socket.once('data', () => {
        asked.push(id)
        if (asked.length === 1) socket.resetAndDestroy()
        else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    }
    const one = await TestBackend.start(serve)
    const two = await TestBackend.start(serve)
    return {
      ids: [one.id, two.id],
      asked,
      [Symbol.asyncDispose]: async () => {
        await one[Symbol.asyncDispose]()
        await two[Symbol.asyncDispose]()
      },
    }
  }

  test('one that was sent is repeated only where that is harmless', async () => {
    for (const [ask1, status] of [
      [{ method: 'GET' }, 200],
      [{ method: 'PUT' }, 200],
      [{ method: 'POST' }, 502],
      [{ method: 'PUT', body: 'read' }, 502],
    ] as const) {
      await using pair = await resetting()
      await using proxied = await running(pair.ids)
      expect((await ask(proxied.port, ask1)).status).toBe(status)
      expect(new Set(pair.asked).size).toBe(status === 200 ? 2 : 1)
    }
  })

  test('a kept-alive connection that died meanwhile is not held against its backend', async () => {
    let connections = 0
    await using backend = await TestBackend.start((socket) => {
      connections++
      let requests = 0
      socket.on('data', () => {
        if (requests++ === 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        else socket.resetAndDestroy()
      })
    })
    await using proxied = await running([backend.id])
    for (let n = 0; n < 3; n++) expect(await ask(proxied.port)).toMatchObject({ status: 200, body: 'ok' })
    expect(connections).toBe(3)
    expect(proxied.balancer.reports).toEqual(Array.from({ length: 3 }, () => [backend.id, 200]))
    expect(proxied.proxy.stats().retries).toBe(0)
  })

  test.each([
    ['Content-Length', 'Content-Length: 10\r\n\r\nhalf', ''],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', ''],
    ['chunks, broken', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', 'ZZ'],
  ])('a response that breaks off (%s) is never a whole one for the client', async (_, start, end) => {
    let breakOff = (): void => {}
    await using backend = await TestBackend.start((socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n${start}`))
      breakOff = () => socket.end(end)
    })
    await using proxied = await running([backend.id])
    for (const version of ['1.1', '1.0']) {
      const socket = connect(proxied.port, '127.0.0.1')
      let heard = ''
      socket.on('data', (chunk) => {
        heard += String(chunk)
      })
      socket.write(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`)
      // A reset that overtakes what was sent before it would be the kernel's doing.
      await eventually(() => heard.includes('half'))
      breakOff()
      const [error]: NodeJS.ErrnoException[] = await once(socket, 'end').then(
        () => [],
        (thrown) => [thrown],
      )
      expect(error?.code).toBe('ECONNRESET')
    }
    await eventually(() => proxied.ends.length === 2)
    expect(proxied.ends).toMatchObject([
      { outcome: 'backend-abort', status: 200 },
      { outcome: 'backend-abort' },
    ])
    expect(proxied.balancer).toMatchObject({
      active: 0,
      reports: [
        [backend.id, 'failure'],
        [backend.id, 'failure'],
      ],
    })
  })

  test('a response body that stalls breaks off after the idle time', async () => {
    await using backend = await HttpBackend.start((_, response) => void response.write('half'))
    await using proxied = await running([backend.id], { idleTimeout: 900 })
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', agent: false }).end()
    const response = await responseTo(request)
    await expect(bodyOf(response)).rejects.toMatchObject({ code: 'ECONNRESET' })
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'backend-abort', error: { code: 'TIMED_OUT' } }])
  })

  test.each([
    ['a part', 64 * 2 ** 20],
    ['all but the last of what is', 8 * 2 ** 20],
  ])('a client that takes only %s sent is dropped after the idle time, without blame', async (_, size) => {
    await using backend = await HttpBackend.start((_request, response) => response.end(Buffer.alloc(size)))
    await using proxied = await running([backend.id], { idleTimeout: 900 })
    const socket = connect(proxied.port, '127.0.0.1').pause()
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'client-abort', error: { code: 'TIMED_OUT' } }])
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [] })
    socket.destroy()
  })

  test('a client that stops sending is dropped after the idle time, without blame', async () => {
    let aborted = false
    await using backend = await HttpBackend.start((request) => {
      request.resume().once('close', () => {
        aborted = !request.complete
      })
    })
    await using proxied = await running([backend.id], { idleTimeout: 900 })
    await raw(proxied.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf')
    await eventually(() => aborted && proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'client-abort', status: undefined }])
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [] })
  })

  test('a backend that stops taking the request is 504', async () => {
    await using backend = await HttpBackend.start(() => {})
    await using proxied = await running([backend.id], { idleTimeout: 900 })
    const answer = await ask(proxied.port, { method: 'POST', body: 'x'.repeat(64 * 2 ** 20) })
    expect(answer.status).toBe(504)
    expect(proxied.balancer.reports).toEqual([[backend.id, 'gateway-failure']])
  })

  test.each([
    ['both lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['nothing', ''],
    [
      'a switch of protocols',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    ['too long a head', `HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(100_000)}\r\n\r\n`],
  ])('a response that is none (%s) is 502', async (_, bytes) => {
    await using backend = await TestBackend.start((socket) => {
      socket.once('data', () => socket.end(bytes))
    })
    await using proxied = await running([backend.id])
    expect((await ask(proxied.port, { method: 'POST' })).status).toBe(502)
    expect(proxied.balancer.active).toBe(0)
    expect(proxied.balancer.reports).toHaveLength(1)
    expect(proxied.balancer.reports[0]?.[1]).not.toBe(101)
  })

  test('statuses are reported as they are', async () => {
    await using backend = await HttpBackend.start((request, response) => {
      response.writeHead(Number(request.url?.slice(1)))
      response.end()
    })
    await using proxied = await running([backend.id])
    for (const status of [500, 503, 404]) await ask(proxied.port, { path: `/${status}` })
    expect(proxied.balancer.reports).toEqual([
      [backend.id, 500],
      [backend.id, 503],
      [backend.id, 404],
    ])
    expect(proxied.proxy.stats().statuses).toEqual(
      new Map([
        [500, 1],
        [503, 1],
        [404, 1],
      ]),
    )
  })

  test('a client that leaves in the middle takes its request along', async () => {
    let aborted = false
    await using backend = await HttpBackend.start((request, response) => {
      response.write('half')
      request.socket.once('close', () => {
        aborted = true
      })
    })
    await using proxied = await running([backend.id])
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', agent: false }).end()
    request.on('error', () => {})
    await once(request, 'response')
    request.destroy()
    await eventually(() => aborted)
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'client-abort' }])
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [] })
  })
})
