import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { eventually, refusedPort } from '@loadbearing/harness/faults'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createPool,
  type HttpCheckOptions,
  Maglev,
  type ProbeEvent,
  type TcpCheckOptions,
} from '../../src/index.ts'

/** A server on a port of its own that knows which of its sockets are open. */
class Hostile implements AsyncDisposable {
  readonly server: Server
  readonly open = new Set<Socket>()
  accepted = 0

  constructor(server: Server) {
    this.server = server
    server.on('connection', (socket: Socket) => {
      this.accepted++
      this.open.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.open.delete(socket))
    })
  }

  static async raw(behave: (socket: Socket) => void): Promise<Hostile> {
    return new Hostile(
      createTcpServer((socket) => {
        // Who does not read does not see the other side close.
        socket.resume()
        behave(socket)
      }),
    ).listen()
  }

  static async http(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Hostile> {
    return new Hostile(createHttpServer(answer)).listen()
  }

  async listen(): Promise<this> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    return this
  }

  get id(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.open) socket.destroy()
    this.server.close()
    await once(this.server, 'close')
  }
}

/** Probes `server` once, as a pool does, and shows that nothing is left of it. */
async function probe(
  server: Hostile,
  active: HttpCheckOptions | TcpCheckOptions,
): Promise<ProbeEvent & { error?: Error }> {
  const pool = createPool(new Maglev([server.id], { tableSize: 251 }), {
    panicThreshold: 0,
    active: { timeout: 10_000, interval: 60_000, ...active },
  })
  const outcome = Promise.withResolvers<ProbeEvent & { error?: Error }>()
  pool.on('probe', (event) => outcome.resolve(event as ProbeEvent & { error?: Error }))
  const event = await outcome.promise
  await pool[Symbol.asyncDispose]()
  await eventually(() => server.open.size === 0, { what: 'the probe’s socket is closed' })
  return event
}

const http: HttpCheckOptions = { path: '/healthz' }

describe('HTTP', () => {
  test.each([200, 204, 299])('status %d passes', async (status) => {
    await using server = await Hostile.http((_, response) => response.writeHead(status).end())
    expect(await probe(server, http)).toMatchObject({ result: 'healthy' })
  })

  test.each([301, 404, 429, 500, 503])('status %d fails', async (status) => {
    await using server = await Hostile.http((_, response) => response.writeHead(status).end('sorry'))
    expect(await probe(server, http)).toMatchObject({
      result: 'unhealthy',
      error: { code: 'PROBE_FAILED', message: expect.stringContaining(`${status}`) },
    })
  })

  test('the statuses that pass can be named', async () => {
    await using server = await Hostile.http((_, response) => response.writeHead(404).end())
    expect(await probe(server, { ...http, statuses: [404] })).toMatchObject({ result: 'healthy' })
    await using fine = await Hostile.http((_, response) => response.end())
    expect(await probe(fine, { ...http, statuses: [404] })).toMatchObject({ result: 'unhealthy' })
  })

  test('asks for what it is told to, on a connection of its own', async () => {
    const asked: (string | undefined)[] = []
    await using server = await Hostile.http((request, response) => {
      asked.push(request.method, request.url, request.headers.host, request.headers.connection)
      response.end()
    })
    await probe(server, { path: '/healthz?full=1', host: 'shop.example' })
    expect(asked).toEqual(['GET', '/healthz?full=1', 'shop.example', 'close'])
  })

  test('x-envoy-degraded makes it degraded', async () => {
    await using server = await Hostile.http((_, response) =>
      response.writeHead(200, { 'x-envoy-degraded': 'true' }).end(),
    )
    expect(await probe(server, http)).toMatchObject({ result: 'degraded' })
  })

  test('a redirect loop is not followed', async () => {
    let requests = 0
    await using server = await Hostile.http((request, response) => {
      requests++
      response.writeHead(302, { location: request.url ?? '/' }).end()
    })
    expect(await probe(server, http)).toMatchObject({ result: 'unhealthy' })
    expect(requests).toBe(1)
  })

  test('a body of 64 KiB passes, one byte more does not', async () => {
    await using server = await Hostile.http((_, response) => response.end(Buffer.alloc(65_536)))
    expect(await probe(server, http)).toMatchObject({ result: 'healthy' })
    await using large = await Hostile.http((_, response) => response.end(Buffer.alloc(65_537)))
    expect(await probe(large, http)).toMatchObject({
      result: 'unhealthy',
      error: { message: 'The response has more than 65536 bytes' },
    })
  })

  test('a body without end is cut off, long before the timeout', async () => {
    let sent = 0
    await using server = await Hostile.http((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384))) sent += 16_384
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    })
    expect(await probe(server, http)).toMatchObject({
      result: 'unhealthy',
      error: { message: expect.stringContaining('bytes') },
    })
    expect(sent).toBeLessThan(16_777_216)
  })

  const trickle = (begin: string, drop: string) => (socket: Socket) => {
    socket.write(begin)
    const timer = setInterval(() => socket.write(drop), 20)
    socket.on('close', () => clearInterval(timer))
  }

  test.each<[string, (socket: Socket) => void]>([
    ['never answers', () => undefined],
    ['sends its head a byte at a time', trickle('HTTP/1.1 200 OK\r\nx: ', 'a')],
    ['sends its body a byte at a time', trickle('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n', 'a')],
    ['sends chunks for ever', trickle('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\na\r\n')],
    ['says 100 Continue for ever', trickle('', 'HTTP/1.1 100 Continue\r\n\r\n')],
    ['says 103 Early Hints for ever', trickle('', 'HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n')],
    ['keeps a response open that has no length', (socket) => socket.write('HTTP/1.1 200 OK\r\n\r\nfine')],
  ])('a server that %s fails at the timeout', async (_, behave) => {
    await using server = await Hostile.raw(behave)
    const event = await probe(server, { ...http, timeout: 300 })
    expect(event).toMatchObject({ result: 'unhealthy', error: { message: 'No answer within 300 ms' } })
    expect(event.ms).toBeGreaterThanOrEqual(295)
    expect(event.ms).toBeLessThan(9000)
  })

  test.each<[string, (socket: Socket) => void]>([
    ['closes at once', (socket) => socket.destroy()],
    ['resets', (socket) => socket.resetAndDestroy()],
    ['closes in the middle of the head', (socket) => socket.end('HTTP/1.1 200')],
    [
      'closes in the middle of the body',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nfine'),
    ],
    [
      'closes in the middle of a chunk',
      (socket) => socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nfine'),
    ],
    ['speaks something else', (socket) => socket.end('220 mail.example ESMTP\r\n')],
    [
      'sends headers without end',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n')
        for (let n = 0; n < 4000; n++) socket.write(`x-${n}: ${'a'.repeat(100)}\r\n`)
      },
    ],
    [
      'has both a length and chunks',
      (socket) =>
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'),
    ],
    [
      'upgrades unasked',
      (socket) =>
        socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: chat\r\nconnection: upgrade\r\n\r\n'),
    ],
  ])('a server that %s fails', async (_, behave) => {
    await using server = await Hostile.raw((socket) => {
      socket.once('data', () => behave(socket))
    })
    expect(await probe(server, http)).toMatchObject({ result: 'unhealthy' })
  })

  test('a port that nobody listens on fails', async () => {
    await using refused = await refusedPort()
    const id = refused.address
    await using pool = createPool(new Maglev([id], { tableSize: 251 }), { active: http, panicThreshold: 0 })
    await pool.ready()
    expect(pool.states().get(id)).toMatchObject({ state: 'unhealthy', lastError: { code: 'ECONNREFUSED' } })
    expect(() => pool.acquire('k')).toThrow(expect.objectContaining({ code: 'NO_BACKEND' }))
  })

  test('an id that is no address fails by name', async () => {
    await using pool = createPool(new Maglev(['backend-a'], { tableSize: 251 }), { active: http })
    await pool.ready()
    expect(pool.states().get('backend-a')).toMatchObject({ lastError: { code: 'INVALID_BACKEND' } })
  })

  test('disposal in the middle of a probe closes its socket', async () => {
    await using server = await Hostile.raw(() => undefined)
    const pool = createPool(new Maglev([server.id], { tableSize: 251 }), {
      active: { ...http, timeout: 60_000 },
    })
    await eventually(() => server.open.size === 1)
    await pool[Symbol.asyncDispose]()
    await eventually(() => server.open.size === 0)
    expect(pool.stats().probes).toBe(0)
  })
})

describe('TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'maglev-tls-'))
  const file = (name: string): string => join(folder, name)
  let cert = ''
  let key = ''

  beforeAll(() => {
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1']
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        ...subject,
      ].concat(['-keyout', file('key.pem'), '-out', file('cert.pem')]),
      { stdio: 'ignore' },
    )
    cert = readFileSync(file('cert.pem'), 'utf8')
    key = readFileSync(file('key.pem'), 'utf8')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const secure = (): Promise<Hostile> =>
    new Hostile(
      createTlsServer({ cert, key }, (socket) => {
        socket.on('error', () => undefined)
        socket.resume()
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
      }),
    ).listen()

  test('a certificate that is not trusted fails, one that is passes', async () => {
    await using server = await secure()
    expect(await probe(server, { tls: true })).toMatchObject({
      result: 'unhealthy',
      error: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
    expect(await probe(server, { tls: { ca: cert } })).toMatchObject({ result: 'healthy' })
  })

  test('a certificate for another name fails', async () => {
    await using server = await secure()
    expect(await probe(server, { tls: { ca: cert, servername: 'shop.example' } })).toMatchObject({
      result: 'unhealthy',
      error: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
  })

  test.each<[string, (socket: Socket) => void, boolean]>([
    ['speaks plain HTTP', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), false],
    ['never answers the handshake', () => undefined, true],
    ['closes in the handshake', (socket) => socket.once('data', () => socket.destroy()), false],
  ])('a server that %s fails', async (_, behave, late) => {
    await using server = await Hostile.raw(behave)
    const event = await probe(server, { tls: true, timeout: late ? 300 : 10_000 })
    expect(event.result).toBe('unhealthy')
    if (late) expect(event.error?.message).toBe('No answer within 300 ms')
  })
})

describe('TCP', () => {
  const tcp: TcpCheckOptions = { type: 'tcp' }

  test('a server that accepts passes', async () => {
    await using server = await Hostile.raw(() => undefined)
    expect(await probe(server, tcp)).toMatchObject({ result: 'healthy' })
    expect(server.accepted).toBe(1)
  })

  test('another port can be asked', async () => {
    await using server = await Hostile.raw(() => undefined)
    await using other = await Hostile.raw(() => undefined)
    const port = Number(other.id.split(':')[1])
    expect(await probe(server, { type: 'tcp', port })).toMatchObject({ result: 'healthy' })
    expect([server.accepted, other.accepted]).toEqual([0, 1])
  })

  test('a port that nobody listens on fails', async () => {
    await using refused = await refusedPort()
    const id = refused.address
    await using pool = createPool(new Maglev([id], { tableSize: 251 }), { active: tcp })
    await pool.ready()
    expect(pool.states().get(id)).toMatchObject({ state: 'unhealthy', lastError: { code: 'ECONNREFUSED' } })
  })
})

test('a pool that probes hostile servers for long leaves nothing behind', async () => {
  const before = process.getActiveResourcesInfo().length
  {
    await using silent = await Hostile.raw(() => undefined)
    await using endless = await Hostile.http((_, response) => response.write(Buffer.alloc(1_000_000)))
    await using fine = await Hostile.http((_, response) => response.end())
    await using pool = createPool(new Maglev([silent.id, endless.id, fine.id], { tableSize: 251 }), {
      active: { interval: 20, timeout: 15, jitter: 5 },
    })
    await eventually(() => pool.stats().probes > 100)
    // One probe at a time each, so no more sockets than backends (and those on their way out).
    expect(silent.open.size + endless.open.size + fine.open.size).toBeLessThanOrEqual(6)
    // A busy machine may be late with a few answers of the well one.
    await eventually(() => pool.states().get(fine.id)?.state === 'healthy')
    expect(pool.states().get(silent.id)?.state).toBe('unhealthy')
  }
  await eventually(() => process.getActiveResourcesInfo().length <= before, { what: 'no handle is left' })
})
