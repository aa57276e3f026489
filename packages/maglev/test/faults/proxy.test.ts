import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { eventually, startChild, tcpProxy } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import { createHttpProxy, type HttpProxyOptions } from '../../src/adapters/http-proxy.ts'
import { createTcpProxy } from '../../src/adapters/tcp-proxy.ts'
import { createPool, Maglev } from '../../src/index.ts'
import { DeafBackend, echo, TestBackend } from '../adapters/backends.ts'
import { startStand } from './stand.ts'

// Fault 11 of the specification's section 6.

const local = { port: 0, host: '127.0.0.1' }

function keyOwnedBy(id: string, maglev: Maglev): string {
  const key = Array.from({ length: 1000 }, (_, n) => `key ${n}`).find((one) => maglev.lookup(one) === id)
  if (key === undefined) throw new Error(`no key of ${id}`)
  return key
}

interface WebBackend extends AsyncDisposable {
  readonly id: string
  readonly requests: { request: IncomingMessage; body: string; aborted: boolean }[]
}

/** Notes every request, as it comes, and answers when it has ended. */
async function web(): Promise<WebBackend> {
  const requests: WebBackend['requests'] = []
  const server = createHttpServer((request, response) => {
    const noted = { request, body: '', aborted: false }
    requests.push(noted)
    request.setEncoding('latin1').on('data', (text: string) => {
      noted.body += text
    })
    request.on('error', () => {
      noted.aborted = true
    })
    request.on('end', () => response.end('served'))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    id: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

/** Sends bytes as they are; the answer is all that comes back until the end, a reset included. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = connect({ ...local, port, allowHalfOpen: true })
  const { promise, resolve } = Promise.withResolvers<string>()
  let answer = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text
  })
  socket.on('error', () => resolve(answer))
  socket.on('close', () => resolve(answer))
  socket.on('end', () => socket.end())
  socket.write(bytes, 'latin1')
  return promise
}

describe('sockets', () => {
  test('half-open: a client whose end never arrives is reset after the idle time, and the lease is given back', async () => {
    await using backend = await TestBackend.start(echo)
    await using pool = createPool(new Maglev([backend.id]))
    await using proxy = createTcpProxy(pool, { idleTimeout: 1000 })
    const { port } = await proxy.listen(local)
    await using network = await tcpProxy({ target: `127.0.0.1:${port}` })
    network.halfOpen()
    const client = connect(network.port, network.host).on('error', () => {})
    await once(client, 'data')
    client.destroy()
    expect(pool.stats().active).toBe(1)
    await eventually(() => pool.stats().active === 0)
    expect(proxy.stats()).toMatchObject({ open: 0, ended: { idle: 1 } })
    await eventually(() => backend.sockets.size === 0)
  })

  test('half-open: one side has ended, the other still gets its bytes', async () => {
    await using backend = await TestBackend.start((socket) => {
      let heard = ''
      socket.on('data', (data) => (heard += String(data)))
      socket.on('end', () => socket.end(`heard ${heard}`))
    })
    await using proxy = createTcpProxy(new Maglev([backend.id]))
    const { port } = await proxy.listen(local)
    const client = connect({ ...local, port, allowHalfOpen: true })
    let answer = ''
    client.on('data', (data) => (answer += String(data)))
    client.end('the question')
    await once(client, 'end')
    expect(answer).toBe('heard the question')
  })

  test.each(['tcp', 'http'] as const)(
    '%s: clients that do not read hold the backends up, not the memory',
    async (kind) => {
      const total = 64 * 2 ** 20
      await using source = kind === 'tcp' ? await pour(total) : await pourHttp(total)
      await using proxy = await startChild(new URL('./programs/proxy.ts', import.meta.url), {
        execArgv: ['--conditions=@loadbearing/source'],
        args: [kind, source.id],
        ready: /^listening /,
      })
      const port = Number(/listening (\d+)/.exec(proxy.output.stdout)?.[1])
      const before = residentSet(proxy.pid)
      const clients = Array.from({ length: 4 }, () => {
        const client = connect({ ...local, port }).on('error', () => {})
        client.pause()
        client.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
        return client
      })
      let last = -1
      let still = 0
      await eventually(
        () => {
          const written = source.written()
          still = written > 0 && written === last ? still + 1 : 0
          last = written
          return still === 30
        },
        { within: '20s' },
      )
      // 256 MiB wait to be sent; the kernel holds a few of them for each connection.
      expect(source.written()).toBeLessThan(128 * 2 ** 20)
      expect(residentSet(proxy.pid) - before).toBeLessThan(48 * 2 ** 20)
      const read = await Promise.all(clients.map(drain))
      for (const bytes of read) expect(bytes).toBeGreaterThanOrEqual(total)
    },
  )
})

describe('resets and retries', () => {
  test('a client that resets in the middle of its body: the backend sees it cut off, nobody is to blame', async () => {
    await using backend = await web()
    await using pool = createPool(new Maglev([backend.id]), {
      outlier: { consecutive5xx: 1, consecutiveGatewayFailure: 1 },
    })
    await using proxy = createHttpProxy(pool)
    const { port } = await proxy.listen(local)
    const client = connect({ ...local, port }).on('error', () => {})
    client.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nhalf of it')
    await eventually(() => backend.requests[0]?.body === 'half of it')
    client.resetAndDestroy()
    await eventually(() => backend.requests[0]?.aborted)
    await eventually(() => pool.stats().active === 0)
    expect(pool.stats().ejections).toBe(0)
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200)
    expect(backend.requests).toHaveLength(2)
  })

  test('a backend that does not take connections: the next distinct owner serves, and the first is reported', async () => {
    await using deaf = await DeafBackend.start()
    await using backend = await web()
    const maglev = new Maglev([deaf.id, backend.id])
    await using pool = createPool(maglev, { outlier: { consecutive5xx: 3 } })
    const key = keyOwnedBy(deaf.id, maglev)
    await using proxy = createHttpProxy(pool, { key: () => key, connectTimeout: 700 })
    const { port } = await proxy.listen(local)
    for (let n = 1; n <= 3; n++) {
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'only once' })
      expect([response.status, await response.text()]).toEqual([200, 'served'])
    }
    expect(backend.requests.map(({ body }) => body)).toEqual(Array(3).fill('only once'))
    expect(proxy.stats().retries).toBe(3)
    expect(pool.states().get(deaf.id)?.state).toBe('ejected')
  })

  test('a backend that resets after it got the body: no second one gets it, the answer is 502', async () => {
    const bodies: string[] = []
    const cut = (socket: Socket): void => {
      socket.on('data', (data) => {
        bodies.push(String(data))
        if (String(data).includes('pay')) socket.resetAndDestroy()
      })
    }
    await using one = await TestBackend.start(cut)
    await using two = await TestBackend.start(cut)
    await using proxy = createHttpProxy(new Maglev([one.id, two.id]), { retries: 5 })
    const { port } = await proxy.listen(local)
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'pay 600' })
    expect(response.status).toBe(502)
    expect(bodies.filter((body) => body.includes('pay'))).toHaveLength(1)
  })

  test('a backend that resets in the middle of its answer: the client sees it cut off, never whole', async () => {
    await using backend = await TestBackend.start((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n', () =>
          socket.resetAndDestroy(),
        )
      })
    })
    await using proxy = createHttpProxy(new Maglev([backend.id]))
    const { port } = await proxy.listen(local)
    await expect(fetch(`http://127.0.0.1:${port}/`).then((response) => response.text())).rejects.toThrow(
      'terminated',
    )
    const whole = await raw(port, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    expect(whole).not.toMatch(/\r\n0\r\n\r\n$/)
  })

  test('HTTP: one of three backend processes is killed: only its requests under way fail', async () => {
    await using stand = await startStand('http', 3)
    const oracle = new Maglev(stand.backends.map(({ id }) => id))
    const victim = stand.backends[0]
    const asked = Array.from({ length: 60 }, (_, n) => `127.9.0.${n + 1}`)
    let begun = 0
    const slow = asked.map((from) => get(stand.port, from, '/slow', () => begun++))
    await eventually(() => begun === asked.length)
    await victim?.process.kill()
    const after = asked.map((from) => get(stand.port, from, '/'))
    await Promise.all(stand.backends.slice(1).map((backend) => backend.process.send('finish')))
    const ended = await Promise.all(slow)
    for (const [n, outcome] of ended.entries()) {
      const owner = oracle.lookup(asked[n] ?? '')
      expect({ owner, outcome }).toEqual({ owner, outcome: owner === victim?.id ? 'broken' : owner })
    }
    expect(ended.filter((outcome) => outcome === 'broken').length).toBeGreaterThan(0)
    for (const [n, served] of (await Promise.all(after)).entries()) {
      const owner = oracle.lookup(asked[n] ?? '')
      if (owner === victim?.id) expect(stand.backends.slice(1).map(({ id }) => id)).toContain(served)
      else expect(served).toBe(owner)
    }
  })
})

describe('hostile requests', () => {
  async function ask(
    bytes: string,
    options: HttpProxyOptions = {},
  ): Promise<{ answer: string; backend: WebBackend }> {
    await using stack = new AsyncDisposableStack()
    const backend = stack.use(await web())
    const proxy = stack.use(createHttpProxy(new Maglev([backend.id]), options))
    const { port } = await proxy.listen(local)
    return { answer: await raw(port, bytes), backend }
  }

  const close = 'connection: close\r\n'
  const hidden = 'GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n'

  test.each([
    [
      'both lengths',
      `content-length: ${5 + hidden.length}\r\ntransfer-encoding: chunked\r\n`,
      `0\r\n\r\n${hidden}`,
    ],
    [
      'both lengths, the other way round',
      'transfer-encoding: chunked\r\ncontent-length: 4\r\n',
      `0\r\n\r\n${hidden}`,
    ],
    ['two different lengths', `content-length: 0\r\ncontent-length: ${hidden.length}\r\n`, hidden],
    ['a list of lengths', 'content-length: 0, 5\r\n', hidden],
    ['a length with a sign', `content-length: +${hidden.length}\r\n`, hidden],
    ['chunked and not last', 'transfer-encoding: chunked, identity\r\n', `0\r\n\r\n${hidden}`],
    ['an unknown coding', 'transfer-encoding: xchunked\r\n', `0\r\n\r\n${hidden}`],
    ['a space before the colon', 'transfer-encoding : chunked\r\n', `0\r\n\r\n${hidden}`],
    ['a folded header', 'x-a: 1\r\n transfer-encoding: chunked\r\n', hidden],
  ])('smuggling, %s: 400, and no second request', async (_, headers, rest) => {
    const { answer, backend } = await ask(`POST / HTTP/1.1\r\nhost: a\r\n${headers}\r\n${rest}`)
    expect(answer).toMatch(/^HTTP\/1\.1 (?:400|501) /)
    expect(backend.requests.map(({ request }) => request.url)).not.toContain('/hidden')
  })

  test('smuggling, a chunk size that is none: found in the middle of the body, the request is cut off for both sides', async () => {
    const head = 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n'
    const { answer, backend } = await ask(`${head}0x5\r\nhello\r\n0\r\n\r\n${hidden}`)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(backend.requests.filter(({ aborted, request }) => !aborted || request.url === '/hidden')).toEqual(
      [],
    )
  })

  test.each([
    ['a bare line feed', `GET / HTTP/1.1\nhost: a\nx-forwarded-for: 1.1.1.1\n\n`],
    ['a carriage return in a value', `GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 1\rx-admin: 1\r\n\r\n`],
    ['a NUL in a value', `GET / HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 1\u0000\r\n\r\n`],
    ['two hosts', `GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n`],
    ['no host', `GET / HTTP/1.1\r\n\r\n`],
  ])('injection, %s: 400, and it reaches no backend', async (_, bytes) => {
    const { answer, backend } = await ask(bytes)
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(backend.requests).toEqual([])
  })

  test('X-Forwarded-For of a client that is not trusted is not passed on', async () => {
    const { answer, backend } = await ask(
      `GET / HTTP/1.1\r\nhost: a\r\n${close}x-forwarded-for: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\nforwarded: for=10.0.0.3\r\nx-real-ip: 10.0.0.4\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    const { headers } = backend.requests[0]?.request ?? {}
    expect(headers?.['x-forwarded-for']).toBe('127.0.0.1')
    expect(JSON.stringify(headers)).not.toMatch(/10\.0\.0\./)
  })

  test('headers that are for this hop only, those that Connection names too, are not passed on', async () => {
    const { backend } = await ask(
      'GET / HTTP/1.1\r\nhost: a\r\nconnection: close, x-secret\r\nx-secret: 1\r\nkeep-alive: 1\r\nproxy-authorization: b\r\nte: gzip\r\n\r\n',
    )
    const { headers } = backend.requests[0]?.request ?? {}
    for (const name of ['x-secret', 'keep-alive', 'proxy-authorization', 'te'])
      expect(headers).not.toHaveProperty(name)
  })
})

interface Pouring extends AsyncDisposable {
  readonly id: string
  written(): number
}

async function pour(total: number, head: string = ''): Promise<Pouring> {
  let written = 0
  const chunk = Buffer.alloc(65_536, 'x')
  const backend = await TestBackend.start((socket) => {
    let left = total
    const write = (): void => {
      while (left > 0) {
        left -= chunk.length
        written += chunk.length
        if (!socket.write(chunk)) return
      }
      socket.end()
    }
    socket.on('drain', write)
    // Probes ask for nothing.
    socket.once('data', () => {
      socket.write(head)
      write()
    })
    socket.resume()
  })
  return {
    id: backend.id,
    written: () => written,
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  }
}

const pourHttp = (total: number): Promise<Pouring> =>
  pour(total, `HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\nconnection: close\r\n\r\n`)

async function drain(client: Socket): Promise<number> {
  let bytes = 0
  client.on('data', (data) => {
    bytes += data.length
  })
  client.resume()
  await once(client, 'end')
  client.end()
  return bytes
}

function residentSet(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

/** The id of the backend that served it whole with 200; `broken` where the answer was cut off or 502. */
async function get(
  port: number,
  localAddress: string,
  path: string,
  onHead: () => void = () => {},
): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const request = httpRequest({ ...local, port, path, localAddress, agent: false }, (response) => {
    onHead()
    response.on('error', () => resolve('broken'))
    response.on('close', () => {
      const whole = response.complete && response.statusCode === 200
      resolve(whole ? String(response.headers['x-backend']) : 'broken')
    })
    response.resume()
  })
  request.on('error', () => resolve('broken'))
  request.end()
  return promise
}
