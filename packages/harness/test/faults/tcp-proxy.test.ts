import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import {
  type Direction,
  eventually,
  refusedPort,
  startChild,
  type TcpProxy,
  tcpProxy,
} from '../../src/faults/index.ts'

/** One end of a real connection, with what arrived there. */
class End {
  readonly socket: Socket
  received: Buffer = Buffer.alloc(0)
  ended = false
  closed = false
  errorCode: string | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (data: Buffer) => {
      this.received = Buffer.concat([this.received, data])
    })
    socket.on('end', () => {
      this.ended = true
    })
    socket.on('close', () => {
      this.closed = true
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code
    })
  }

  get text(): string {
    return this.received.toString('latin1')
  }

  async receives(text: string): Promise<void> {
    await eventually(() => this.text === text, { what: `received ${text}` })
  }
}

/** A server, the proxy before it, and the two ends of each connection through it. */
class Bench implements AsyncDisposable {
  readonly servers: End[] = []
  readonly clients: End[] = []
  readonly #listener = createServer({ allowHalfOpen: true }, (socket) => this.servers.push(new End(socket)))
  #proxy: TcpProxy | undefined

  static async open(seed = 1): Promise<Bench> {
    const bench = new Bench()
    bench.#listener.listen(0, '127.0.0.1')
    await once(bench.#listener, 'listening')
    const { port } = bench.#listener.address() as AddressInfo
    bench.#proxy = await tcpProxy({ target: `127.0.0.1:${port}`, seed })
    return bench
  }

  get proxy(): TcpProxy {
    if (this.#proxy === undefined) throw new Error('not open')
    return this.#proxy
  }

  async connect(): Promise<{ client: End; server: End }> {
    const n = this.servers.length
    const client = this.dial()
    const server = await eventually(() => this.servers[n])
    return { client, server }
  }

  dial(): End {
    const client = new End(connect({ port: this.proxy.port, host: '127.0.0.1', allowHalfOpen: true }))
    this.clients.push(client)
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of [...this.clients, ...this.servers]) socket.destroy()
    await this.proxy.close()
    this.#listener.close()
    await once(this.#listener, 'close')
  }
}

async function roundTripMs({ client, server }: { client: End; server: End }): Promise<number> {
  const [asked, answered] = [server.received.length, client.received.length]
  const start = performance.now()
  client.socket.write('?')
  await eventually(() => server.received.length > asked, { every: 0 })
  server.socket.write('!')
  await eventually(() => client.received.length > answered, { every: 0 })
  return performance.now() - start
}

test('without a fault every byte passes both ways, and so do both ends', async () => {
  await using bench = await Bench.open()
  const { client, server } = await bench.connect()
  const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * 7919) % 256))
  client.socket.write(bytes)
  server.socket.write(bytes)
  await eventually(() => server.received.length === bytes.length && client.received.length === bytes.length)
  expect(server.received.equals(bytes) && client.received.equals(bytes)).toBe(true)
  client.socket.end()
  await eventually(() => server.ended)
  server.socket.end('last words')
  await eventually(() => client.closed && server.closed)
  expect(client.text.endsWith('last words'), 'half of a connection may go on').toBe(true)
  expect([client.errorCode, server.errorCode]).toEqual([undefined, undefined])
  await eventually(() => bench.proxy.stats().open === 0)
  expect(bench.proxy.stats()).toMatchObject({
    accepted: 1,
    upstream: { received: 1_000_000, delivered: 1_000_000, lost: 0, buffered: 0 },
    downstream: { received: 1_000_010, delivered: 1_000_010, lost: 0, buffered: 0 },
  })
})

test('latency delays a live connection, each direction alone, until healed', async () => {
  await using bench = await Bench.open()
  const ends = await bench.connect()
  await roundTripMs(ends)
  bench.proxy.latency(80, { direction: 'upstream' })
  const one = await roundTripMs(ends)
  expect(one).toBeGreaterThanOrEqual(80)
  bench.proxy.latency('80ms')
  expect(await roundTripMs(ends)).toBeGreaterThanOrEqual(160)
  bench.proxy.latency('1h')
  ends.client.socket.write('held')
  await eventually(() => bench.proxy.stats().upstream.buffered === 4)
  await bench.proxy.heal()
  await eventually(() => ends.server.text.endsWith('held'), { what: 'healing delivers what is on its way' })
})

test('jitter varies the delay within its bounds and keeps the order', async () => {
  await using bench = await Bench.open(42)
  const ends = await bench.connect()
  bench.proxy.latency(30, { jitter: 30, direction: 'upstream' })
  for (let i = 0; i < 20; i++) {
    ends.client.socket.write(String.fromCharCode(97 + i))
    await eventually(() => bench.proxy.stats().upstream.received === i + 1, { every: 0 })
  }
  await ends.server.receives('abcdefghijklmnopqrst')
  const trips: number[] = []
  for (let i = 0; i < 10; i++) trips.push(await roundTripMs(ends))
  expect(Math.max(...trips) - Math.min(...trips)).toBeGreaterThan(10)
})

test('bandwidth limits a live connection in one direction', async () => {
  await using bench = await Bench.open()
  const { client, server } = await bench.connect()
  bench.proxy.bandwidth(50_000, { direction: 'downstream' })
  const start = performance.now()
  server.socket.write(Buffer.alloc(100_000))
  client.socket.write(Buffer.alloc(100_000))
  await eventually(() => server.received.length === 100_000)
  expect(client.received.length, 'upstream is not limited').toBeLessThan(100_000)
  await eventually(() => client.received.length === 100_000)
  // 100,000 bytes at 50,000 a second, less the burst of 50 ms.
  expect(performance.now() - start).toBeGreaterThanOrEqual(1940)
})

test('a bandwidth of 0 is a partition that heals without loss', async () => {
  await using bench = await Bench.open()
  const { client, server } = await bench.connect()
  bench.proxy.bandwidth(0)
  client.socket.write('held')
  client.socket.end()
  await eventually(() => bench.proxy.stats().upstream.buffered === 4)
  expect([server.text, server.ended]).toEqual(['', false])
  await bench.proxy.heal()
  await server.receives('held')
  await eventually(() => server.ended)
})

test('cut closes both sides of a live connection in good order', async () => {
  await using bench = await Bench.open()
  const { client, server } = await bench.connect()
  await roundTripMs({ client, server })
  bench.proxy.cut()
  await eventually(() => client.ended && server.ended)
  expect([client.errorCode, server.errorCode]).toEqual([undefined, undefined])
  const keepsSending = (): boolean => {
    if (!client.closed) client.socket.write('anyone there?')
    return client.closed
  }
  await eventually(keepsSending, { what: 'who goes on sending is told' })
  expect(['ECONNRESET', 'EPIPE']).toContain(client.errorCode)
  expect(server.text).toBe('?')
  await roundTripMs(await bench.connect())
})

test('reset ends both sides of a live connection with ECONNRESET', async () => {
  await using bench = await Bench.open()
  const { client, server } = await bench.connect()
  await roundTripMs({ client, server })
  bench.proxy.reset()
  await eventually(() => client.closed && server.closed)
  expect([client.errorCode, server.errorCode]).toEqual(['ECONNRESET', 'ECONNRESET'])
  expect(bench.proxy.stats().open).toBe(0)
  await roundTripMs(await bench.connect())
})

test.each<{ direction: Direction; leaves: 'client' | 'server' }>([
  { direction: 'upstream', leaves: 'client' },
  { direction: 'downstream', leaves: 'server' },
])(
  'half-open $direction: the $leaves vanishes and the other side does not learn it',
  async ({ direction, leaves }) => {
    await using bench = await Bench.open()
    const ends = await bench.connect()
    await roundTripMs(ends)
    bench.proxy.halfOpen({ direction })
    const stays = leaves === 'client' ? ends.server : ends.client
    const opposite = leaves === 'client' ? 'downstream' : 'upstream'
    ends[leaves].socket.resetAndDestroy()
    for (let i = 0; i < 5; i++) {
      const { received } = bench.proxy.stats()[opposite]
      stays.socket.write('still there?')
      await eventually(() => bench.proxy.stats()[opposite].received > received)
    }
    expect(bench.proxy.stats()[opposite].lost).toBeGreaterThan(0)
    expect([stays.ended, stays.closed, stays.errorCode]).toEqual([false, false, undefined])
    await bench.proxy.heal()
    await eventually(() => stays.closed)
    expect(stays.errorCode, 'healing delivers the end').toBe('ECONNRESET')
  },
)

test('half-open withholds an orderly end and delivers it when healed; bytes still pass', async () => {
  await using bench = await Bench.open()
  const { client, server } = await bench.connect()
  bench.proxy.halfOpen()
  client.socket.end('bye')
  await server.receives('bye')
  server.socket.write('what?')
  await client.receives('what?')
  expect(server.ended).toBe(false)
  await bench.proxy.heal()
  await eventually(() => server.ended)
})

test('a black hole swallows what a live connection sends, and its end, in one direction', async () => {
  await using bench = await Bench.open()
  const { client, server } = await bench.connect()
  await roundTripMs({ client, server })
  bench.proxy.blackHole({ direction: 'upstream' })
  const gulp = Buffer.alloc(8_000_000)
  client.socket.write(gulp)
  await eventually(() => bench.proxy.stats().upstream.lost === gulp.length)
  server.socket.write('one way still works')
  await eventually(() => client.text === '!one way still works')
  client.socket.end()
  await eventually(() => client.socket.writableFinished)
  expect([server.text, server.ended, client.closed]).toEqual(['?', false, false])
  await bench.proxy.heal()
  await eventually(() => client.closed && server.closed)
  expect(server.errorCode, 'a stream with a gap is never delivered').toBe('ECONNRESET')
})

test('a black hole accepts new connections that the target never sees', async () => {
  await using bench = await Bench.open()
  bench.proxy.blackHole()
  const client = bench.dial()
  client.socket.write(Buffer.alloc(8_000_000))
  await eventually(() => bench.proxy.stats().upstream.lost === 8_000_000)
  expect([bench.servers.length, client.errorCode]).toEqual([0, undefined])
  await bench.proxy.heal()
  await eventually(() => client.closed)
  expect(client.errorCode).toBe('ECONNRESET')
  await roundTripMs(await bench.connect())
})

test('a connection that lost nothing outlives a black hole', async () => {
  await using bench = await Bench.open()
  const ends = await bench.connect()
  await roundTripMs(ends)
  bench.proxy.blackHole()
  await bench.proxy.heal()
  await roundTripMs(ends)
  expect(bench.proxy.stats()).toMatchObject({ accepted: 1, open: 1 })
})

test('refuse turns new connections away, keeps open ones, and heals on the same port', async () => {
  await using bench = await Bench.open()
  const ends = await bench.connect()
  const { port } = bench.proxy
  bench.proxy.refuse()
  const refused = bench.dial()
  await eventually(() => refused.closed)
  expect(refused.errorCode).toBe('ECONNREFUSED')
  await roundTripMs(ends)
  await bench.proxy.heal()
  expect(bench.proxy.port).toBe(port)
  await roundTripMs(await bench.connect())
  await roundTripMs(ends)
})

test('healing twice at once listens once; what refuses or closes meanwhile prevails', async () => {
  await using bench = await Bench.open()
  const { proxy } = bench
  proxy.refuse()
  await Promise.all([proxy.heal(), proxy.heal()])
  await roundTripMs(await bench.connect())
  proxy.refuse()
  const healing = proxy.heal()
  proxy.refuse()
  await healing
  const refused = bench.dial()
  await eventually(() => refused.closed)
  expect(refused.errorCode).toBe('ECONNREFUSED')
  const last = proxy.heal()
  await proxy.close()
  await last
  await proxy.heal()
  const closed = bench.dial()
  await eventually(() => closed.closed)
  expect(closed.errorCode).toBe('ECONNREFUSED')
})

test('the usual port of a URL counts where it is written out', async () => {
  await using proxy = await tcpProxy({ target: 'http://localhost:80/path' })
  expect(proxy.url).toBe(`http://127.0.0.1:${proxy.port}/path`)
})

test('a client whose peer resets is reset, also after an orderly half-close', async () => {
  await using bench = await Bench.open()
  const { client, server } = await bench.connect()
  client.socket.end('question')
  await eventually(() => server.ended)
  client.socket.destroy()
  const talk = setInterval(() => server.socket.write('answer'), 1)
  try {
    await eventually(() => server.closed)
  } finally {
    clearInterval(talk)
  }
  expect(['ECONNRESET', 'EPIPE']).toContain(server.errorCode)
})

test('where the target refuses, the client is reset', async () => {
  await using refused = await refusedPort()
  await using proxy = await tcpProxy({ target: `redis://${refused.address}/0` })
  expect(proxy.url).toBe(`redis://127.0.0.1:${proxy.port}/0`)
  const client = new End(connect(proxy.port, '127.0.0.1'))
  await eventually(() => client.closed)
  expect(client.errorCode).toBe('ECONNRESET')
})

test('a paused reader holds the memory of the proxy flat while 256 MiB wait, and then gets all of it', async () => {
  const total = 256 * 1_048_576
  const chunk = Buffer.from(Array.from({ length: 65_536 }, (_, i) => (i * 31) % 256))
  const expected = createHash('sha256')
  for (let sent = 0; sent < total; sent += chunk.length) expected.update(chunk)

  let written = 0
  const listener = createServer((socket) => {
    socket.on('error', () => {})
    const push = (): void => {
      while (written < total) {
        written += chunk.length
        if (!socket.write(chunk)) return void socket.once('drain', push)
      }
      socket.end()
    }
    push()
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  await using proxy = await startChild(new URL('children/proxy.ts', import.meta.url), {
    args: [`127.0.0.1:${port}`],
  })
  const proxyPort = Number(/\d+$/.exec(await proxy.line('listening on'))?.[0])
  const watch = async (): Promise<{ rss: number; buffered: number }> => {
    await proxy.send('?')
    const { rss, stats } = (await proxy.message()) as { rss: number; stats: ReturnType<TcpProxy['stats']> }
    return { rss, buffered: stats.downstream.buffered }
  }

  const before = await watch()
  const client = connect({ host: '127.0.0.1', port: proxyPort }).pause()
  let last = -1
  let unchanged = 0
  let highest = before
  let mostBuffered = 0
  await eventually(
    async () => {
      const now = await watch()
      if (now.rss > highest.rss) highest = now
      mostBuffered = Math.max(mostBuffered, now.buffered)
      unchanged = written === last && written > 0 ? unchanged + 1 : 0
      last = written
      return unchanged >= 20
    },
    { what: 'the writer is held back', within: '20s' },
  )
  expect(mostBuffered).toBeGreaterThan(0)
  expect(mostBuffered).toBeLessThan(2 * 1_048_576)
  expect(written, 'the writer was made to wait').toBeLessThan(total / 2)
  expect(highest.rss - before.rss).toBeLessThan(32 * 1_048_576)

  const actual = createHash('sha256')
  for await (const data of client) actual.update(data as Buffer)
  expect(written).toBe(total)
  expect(actual.digest('hex')).toBe(expected.digest('hex'))
  expect((await watch()).rss - before.rss, 'also while all of it went through').toBeLessThan(96 * 1_048_576)
  listener.close()
})

test.each([
  undefined,
  5,
  '',
  'no-port',
  'http://',
  'http://localhost',
  '127.0.0.1:99999',
  'redis://127.0.0.1',
  '__proto__',
])('a target without host and port is refused: %j', async (target) => {
  await expect(tcpProxy({ target: target as string })).rejects.toMatchObject({ code: 'BAD_OPTION' })
})

test('bad options are refused by name', async () => {
  await using proxy = await tcpProxy({ target: '127.0.0.1:1' })
  expect(() => proxy.latency(-1)).toThrow(/latency must be/)
  expect(() => proxy.latency(1, { jitter: Number.NaN })).toThrow(/jitter must be/)
  expect(() => proxy.bandwidth(Number.NaN)).toThrow(/bandwidth must be/)
  expect(() => proxy.bandwidth('5' as never)).toThrow(/bandwidth must be a number .* got 5/)
  expect(() => proxy.blackHole({ direction: 'sideways' as Direction })).toThrow(/direction must be/)
  await expect(tcpProxy({ target: '127.0.0.1:1', seed: 0.5 })).rejects.toMatchObject({ code: 'BAD_OPTION' })
})
