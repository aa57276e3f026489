import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@loadbearing/harness/faults'
import { expect, test } from 'vitest'
import { createPool, type HttpCheckOptions, Maglev } from '../../src/index.ts'

// Fault 7 of the specification's section 6: whatever answers a probe, it times out or fails, and its socket is closed.

interface Responder extends AsyncDisposable {
  readonly id: string
  /** Connections open now. */
  open(): number
}

async function respond(server: Server): Promise<Responder> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).resume()
    socket.once('close', () => sockets.delete(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    id: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}

const http = (listener: RequestListener): Promise<Responder> => respond(createHttpServer(listener))

interface Outcome {
  readonly state: string | undefined
  readonly probes: number
  readonly passed: number
  readonly because: string
}

/** Probes until three have ended; what the pool knows then. Fails where a socket is open once the pool is closed. */
async function probe(responder: Responder, options: HttpCheckOptions = {}): Promise<Outcome> {
  const before = openSockets()
  const pool = createPool(new Maglev([responder.id]), {
    active: { interval: '30ms', timeout: '9s', path: '/healthz', ...options },
  })
  await eventually(() => pool.stats().probes >= 3)
  const status = pool.states().get(responder.id)
  const { probes, probeFailures } = pool.stats()
  // One that is closing and the next.
  expect(responder.open()).toBeLessThanOrEqual(2)
  await pool[Symbol.asyncDispose]()
  await eventually(() => responder.open() === 0)
  // Fewer where another test's connections have ended meanwhile.
  await eventually(() => openSockets() <= before)
  return { state: status?.state, probes, passed: probes - probeFailures, because: String(status?.lastError) }
}

/** For probes that are not answered. */
const brief: HttpCheckOptions = { timeout: '150ms' }

function failed(because: RegExp): object {
  return { state: 'unhealthy', passed: 0, because: expect.stringMatching(because) }
}

/** Sockets of this process, both ends of each connection. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => /^(?:TCPSocket|TLS)/.test(kind)).length
}

test('a well one passes, so that the others fail for what they do', async () => {
  await using responder = await http((_, response) => response.end('well'))
  const { state, probes, passed } = await probe(responder)
  expect({ state, passed }).toEqual({ state: 'healthy', passed: probes })
})

test('a body without an end', async () => {
  let sent = 0
  await using responder = await http((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(16_384))) sent += 16_384
    }
    response.on('drain', more)
    more()
  })
  expect(await probe(responder)).toMatchObject(failed(/more than 65536 bytes/))
  expect(sent).toBeLessThan(64 * 2 ** 20)
})

test('a body that is announced as a gigabyte', async () => {
  await using responder = await http((_, response) => {
    response.writeHead(200, { 'content-length': String(2 ** 30) }).write('x')
  })
  expect(await probe(responder, brief)).toMatchObject(failed(/No answer within 150 ms/))
})

test('slow loris: a header byte now and then, for ever', async () => {
  await using responder = await respond(
    createServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx-slow: ')
      const drip = setInterval(() => socket.write('.'), 10)
      socket.on('close', () => clearInterval(drip))
    }),
  )
  expect(await probe(responder, brief)).toMatchObject(failed(/No answer within 150 ms/))
})

test('a connection that is taken and never answered', async () => {
  await using responder = await respond(createServer(() => {}))
  expect(await probe(responder, brief)).toMatchObject(failed(/No answer within 150 ms/))
})

test('a header without an end', async () => {
  await using responder = await respond(
    createServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const pour = setInterval(() => socket.write(`x-${'y'.repeat(8000)}: 1\r\n`), 1)
      socket.on('close', () => clearInterval(pour))
    }),
  )
  expect(await probe(responder)).toMatchObject(failed(/overflow/i))
})

test('a redirect to itself is not followed', async () => {
  let requests = 0
  await using responder = await http((request, response) => {
    requests++
    response.writeHead(302, { location: request.url ?? '/' }).end()
  })
  const outcome = await probe(responder)
  expect(outcome).toMatchObject(failed(/status 302/))
  expect(requests).toBeLessThanOrEqual(outcome.probes + 1)
})

test.each([
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'],
  [
    'an unasked change of protocols',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
  ],
  ['a body cut short', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf'],
  ['both lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
])('%s', async (_, bytes) => {
  await using responder = await respond(createServer((socket) => socket.end(bytes)))
  expect(await probe(responder)).toMatchObject(failed(/Error/))
})

test('TLS: an answer that is none', async () => {
  await using responder = await respond(createServer((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')))
  expect(await probe(responder, { tls: true })).toMatchObject(failed(/SSL|wrong version/i))
})

test.skipIf(!hasOpenssl())('TLS: a certificate that nobody vouches for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'maglev-tls-'))
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', '/CN=localhost', '-days', '1', '-addext', 'subjectAltName=IP:127.0.0.1']
    const kind = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes']
    execFileSync('openssl', [...kind, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
    const secure = { key: readFileSync(key), cert: readFileSync(cert) }
    await using responder = await respond(createHttpsServer(secure, (_, response) => response.end('well')))
    expect(await probe(responder, { tls: true })).toMatchObject(failed(/self-signed|DEPTH_ZERO/i))
    const { state } = await probe(responder, { tls: { ca: secure.cert } })
    expect(state).toBe('healthy')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    console.error('SKIPPED: no openssl on PATH to make a certificate with')
    return false
  }
}
