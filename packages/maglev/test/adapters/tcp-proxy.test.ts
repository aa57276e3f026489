import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { eventually } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import {
  createTcpProxy,
  formatProxyHeader,
  parseProxyHeader,
  type TcpEndEvent,
  type TcpProxy,
  type TcpProxyOptions,
} from '../../src/adapters/tcp-proxy.ts'
import { Maglev } from '../../src/index.ts'
import { closedAddress, DeafBackend, echo, RecordingBalancer, TestBackend } from './backends.ts'

interface Running extends AsyncDisposable {
  readonly proxy: TcpProxy
  readonly port: number
  readonly balancer: RecordingBalancer
  readonly ends: TcpEndEvent[]
  dial(): Socket
}

async function running(ids: readonly string[], options: TcpProxyOptions = {}): Promise<Running> {
  const balancer = new RecordingBalancer(new Maglev(ids))
  const proxy = createTcpProxy(balancer, { drainTimeout: '1s', ...options })
  const ends: TcpEndEvent[] = []
  proxy.on('end', (event) => ends.push(event))
  const { port } = await proxy.listen({ port: 0, host: '127.0.0.1' })
  return {
    proxy,
    port,
    balancer,
    ends,
    dial: () => connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {}),
    [Symbol.asyncDispose]: () => proxy.close(),
  }
}

const lineOf = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0]).trimEnd()
/** All bytes up to the end; the consumers of node:stream would destroy a socket whose other half is still open. */
const text = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    let all = ''
    socket.on('data', (chunk) => {
      all += String(chunk)
    })
    socket.once('end', () => resolve(all))
  })
const errorOf = async (socket: Socket): Promise<string | undefined> => {
  const [error]: (NodeJS.ErrnoException | undefined)[] = await once(socket, 'error').catch((thrown) => [
    thrown,
  ])
  return error?.code
}

test('each connection goes to the owner of its key, for good', async () => {
  await using one = await TestBackend.start(echo)
  await using two = await TestBackend.start(echo)
  await using three = await TestBackend.start(echo)
  const ids = [one.id, two.id, three.id]
  const maglev = new Maglev(ids)
  let connections = 0
  await using proxy = createTcpProxy(maglev, { key: () => `key ${connections++}` })
  const { port } = await proxy.listen({ port: 0, host: '127.0.0.1' })
  const reached: string[] = []
  for (let n = 0; n < 30; n++) {
    const client = connect(port, '127.0.0.1')
    reached.push(await lineOf(client))
    client.write('ping')
    expect(await lineOf(client)).toBe('ping')
    client.end()
    await once(client, 'close')
  }
  expect(reached).toEqual(Array.from({ length: 30 }, (_, n) => maglev.lookup(`key ${n}`)))
  expect(new Set(reached).size).toBe(3)
  expect(proxy.stats()).toMatchObject({ accepted: 30, ended: { finished: 30 } })
})

test('the source address is the default key, its port is not part of it', async () => {
  await using one = await TestBackend.start(echo)
  await using two = await TestBackend.start(echo)
  await using proxied = await running([one.id, two.id])
  const owner = new Maglev([one.id, two.id]).lookup('127.0.0.1')
  for (let n = 0; n < 5; n++) {
    const client = proxied.dial()
    expect(await lineOf(client)).toBe(owner)
    client.destroy()
  }
})

describe('both directions', () => {
  test('the end of one direction is passed on and the other one goes on', async () => {
    await using backend = await TestBackend.start((socket) => {
      void text(socket).then((request) => socket.end(`answer to ${request}`))
    })
    await using proxied = await running([backend.id])
    const client = proxied.dial()
    client.end('question')
    expect(await text(client)).toBe('answer to question')
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([
      { outcome: 'finished', backend: backend.id, received: 8, sent: 18, error: undefined },
    ])
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [[backend.id, 'ok']] })
  })

  test('a backend that ends first still hears the client', async () => {
    let heard = ''
    await using backend = await TestBackend.start((socket) => {
      socket.end('bye')
      socket.on('data', (chunk) => {
        heard += String(chunk)
      })
      socket.once('end', () => {
        heard += '.'
      })
    })
    await using proxied = await running([backend.id])
    const client = proxied.dial()
    expect(await text(client)).toBe('bye')
    client.write('still ')
    client.end('here')
    await eventually(() => heard === 'still here.')
    await eventually(() => proxied.proxy.stats().open === 0)
    expect(proxied.proxy.stats().ended.finished).toBe(1)
  })

  test('a client that does not read holds the backend back, and gets every byte later', async () => {
    const total = 64 * 2 ** 20
    let written = 0
    await using backend = await TestBackend.start((socket) => {
      const chunk = Buffer.alloc(2 ** 16, 'x')
      const write = (): void => {
        while (written < total) {
          written += chunk.length
          if (!socket.write(chunk)) return
        }
        socket.end()
      }
      socket.on('drain', write)
      write()
    })
    await using proxied = await running([backend.id])
    const client = proxied.dial().pause()
    let last = -1
    let still = 0
    await eventually(() => {
      still = written > 0 && written === last ? still + 1 : 0
      last = written
      return still === 20
    })
    // What the kernel buffers for two connections on loopback, and a little in the proxy, whose memory process.test.ts looks at.
    expect(written).toBeLessThan(24 * 2 ** 20)
    let read = 0
    client.on('data', (chunk) => {
      read += chunk.length
    })
    client.resume()
    await once(client, 'end')
    client.end()
    expect(read).toBe(total)
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends[0]).toMatchObject({ outcome: 'finished', sent: total })
  })
})

describe('broken connections', () => {
  test('a reset by the client reaches the backend as one', async () => {
    let code: string | undefined
    await using backend = await TestBackend.start((socket, id) => {
      socket.resume().write(`${id}\n`)
      socket.once('error', (error: NodeJS.ErrnoException) => {
        code = error.code
      })
    })
    await using proxied = await running([backend.id])
    const client = proxied.dial()
    await lineOf(client)
    client.resetAndDestroy()
    await eventually(() => code === 'ECONNRESET')
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends[0]).toMatchObject({ outcome: 'client-reset' })
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [[backend.id, 'ok']] })
  })

  test('a reset by the backend in the middle is a reset for the client, never an end', async () => {
    await using backend = await TestBackend.start((socket) => {
      socket.write('half of')
      socket.once('data', () => socket.resetAndDestroy())
    })
    await using proxied = await running([backend.id])
    const client = proxied.dial()
    await lineOf(client)
    let ended = false
    client.once('end', () => {
      ended = true
    })
    const code = errorOf(client)
    client.write('go on')
    expect(await code).toBe('ECONNRESET')
    expect(ended).toBe(false)
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends[0]).toMatchObject({ outcome: 'backend-reset', backend: backend.id })
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [[backend.id, 'failure']] })
  })

  test('a connection without traffic is reset after the idle time, one with traffic one way is not', async () => {
    let seen = 0
    let busy: NodeJS.Timeout | undefined
    await using backend = await TestBackend.start((socket, id) => {
      socket.write(`${id}\n`)
      socket.on('data', () => seen++)
    })
    await using proxied = await running([backend.id], { idleTimeout: 250 })
    const talker = proxied.dial()
    const silent = proxied.dial()
    await Promise.all([lineOf(talker), lineOf(silent)])
    busy = setInterval(() => talker.write('.'), 25)
    const code = await errorOf(silent)
    await eventually(() => seen >= 30)
    clearInterval(busy)
    expect(code).toBe('ECONNRESET')
    expect(talker.destroyed).toBe(false)
    expect(proxied.ends).toMatchObject([{ outcome: 'idle' }])
    talker.destroy()
  })
})

describe('backends that cannot be reached', () => {
  test('the next distinct owner gets the connection, before any byte was sent', async () => {
    await using backend = await TestBackend.start(echo)
    const dead = [await closedAddress(), await closedAddress()]
    const ids = [...dead, backend.id]
    await using proxied = await running(ids, { key: () => 'key' })
    const retries: string[] = []
    proxied.proxy.on('retry', ({ backend: id }) => retries.push(id))
    const client = proxied.dial()
    client.write('early ')
    await eventually(() => proxied.proxy.stats().sent > 0)
    client.end('late')
    expect(await text(client)).toBe(`${backend.id}\nearly late`)
    const order = new Map(ids.map((id) => [id, true]))
    expect(retries.every((id) => order.delete(id))).toBe(true)
    expect(retries).toEqual(proxied.balancer.acquired.filter((id) => id !== backend.id))
    await eventually(() => proxied.balancer.active === 0)
    expect(proxied.balancer.reports.filter(([, result]) => result === 'gateway-failure')).toHaveLength(
      retries.length,
    )
  })

  test('one that does not answer costs the connect timeout', async () => {
    await using deaf = await DeafBackend.start()
    await using backend = await TestBackend.start(echo)
    const maglev = new Maglev([deaf.id, backend.id])
    const key = Array.from({ length: 100 }, (_, n) => `key ${n}`).find(
      (one) => maglev.lookup(one) === deaf.id,
    )
    await using proxied = await running([deaf.id, backend.id], {
      key: () => key ?? '',
      connectTimeout: 100,
    })
    const client = proxied.dial()
    expect(await lineOf(client)).toBe(backend.id)
    expect(proxied.balancer.reports).toEqual([[deaf.id, 'gateway-failure']])
    expect(proxied.proxy.stats().retries).toBe(1)
    client.destroy()
  })

  test('a client that leaves meanwhile is not held against the backend', async () => {
    await using deaf = await DeafBackend.start()
    await using proxied = await running([deaf.id])
    const client = proxied.dial()
    await eventually(() => proxied.balancer.active === 1)
    client.resetAndDestroy()
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'client-reset', backend: undefined }])
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [] })
  })

  test('where none can be reached, or none is there, the client is reset', async () => {
    await using unreachable = await running([await closedAddress(), await closedAddress()], { retries: 5 })
    expect(await errorOf(unreachable.dial())).toBe('ECONNRESET')
    await eventually(() => unreachable.ends.length === 1)
    expect(unreachable.ends).toMatchObject([
      { outcome: 'unreachable', error: { code: 'BACKEND_UNREACHABLE', cause: { code: 'ECONNREFUSED' } } },
    ])
    expect(unreachable.proxy.stats().retries).toBe(2)
    expect(unreachable.balancer.active).toBe(0)

    await using empty = await running([])
    expect(await errorOf(empty.dial())).toBe('ECONNRESET')
    await eventually(() => empty.ends.length === 1)
    expect(empty.ends).toMatchObject([{ outcome: 'no-backend', error: { code: 'NO_BACKEND' } }])
  })
})

describe('PROXY protocol', () => {
  const source = { address: '203.0.113.7', port: 4711 }
  const destination = { address: '198.51.100.1', port: 443 }

  /** Answers with the source it was told of and all that follows. */
  const reveal = (socket: Socket): void => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.once('end', () => {
      const all = Buffer.concat(chunks)
      const { header, length } = parseProxyHeader(all) ?? { header: undefined, length: 0 }
      socket.end(
        JSON.stringify({
          version: header?.version,
          source: header?.source,
          rest: String(all.subarray(length)),
        }),
      )
    })
  }

  for (const [incoming, outgoing] of [
    [1, 2],
    [2, 1],
  ] as const) {
    test(`version ${incoming} in, byte by byte, version ${outgoing} out, the key is the announced source`, async () => {
      await using backend = await TestBackend.start(reveal)
      const keys: unknown[] = []
      await using proxied = await running([backend.id], {
        acceptProxyProtocol: ['10.0.0.0/8', '127.0.0.1'],
        sendProxyProtocol: outgoing,
        key: ({ source: { address } }) => {
          keys.push(address)
          return address
        },
      })
      const client = proxied.dial().setNoDelay(true)
      const bytes = Buffer.concat([formatProxyHeader(incoming, source, destination), Buffer.from('hello')])
      for (const byte of bytes) {
        await new Promise((resolve) => client.write(Buffer.from([byte]), resolve))
      }
      client.end()
      expect(JSON.parse(await text(client))).toEqual({ version: outgoing, source, rest: 'hello' })
      expect(keys).toEqual([source.address])
    })
  }

  test('without a header the backend is told of the peer', async () => {
    await using backend = await TestBackend.start(reveal)
    await using proxied = await running([backend.id], { sendProxyProtocol: 1 })
    const client = proxied.dial()
    await once(client, 'connect')
    const port = client.localPort
    client.end('hello')
    expect(JSON.parse(await text(client))).toEqual({
      version: 1,
      source: { address: '127.0.0.1', port },
      rest: 'hello',
    })
  })

  test('a peer that is not trusted cannot choose its address: its header is payload', async () => {
    await using backend = await TestBackend.start(reveal)
    const keys: unknown[] = []
    await using proxied = await running([backend.id], {
      acceptProxyProtocol: ['192.0.2.0/24'],
      sendProxyProtocol: 2,
      key: ({ source: { address } }) => {
        keys.push(address)
        return address
      },
    })
    const client = proxied.dial()
    const forged = formatProxyHeader(1, source, destination)
    client.end(forged)
    expect(JSON.parse(await text(client))).toMatchObject({
      source: { address: '127.0.0.1' },
      rest: String(forged),
    })
    expect(keys).toEqual(['127.0.0.1'])
  })

  test.each([
    ['no header', 'GET / HTTP/1.1\r\n\r\n'],
    ['half a header', 'PROXY TCP4 1.2.3.4'],
    ['a wrong one', 'PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n'],
  ])('%s from a trusted peer closes the connection and reaches no backend', async (_, bytes) => {
    await using backend = await TestBackend.start(reveal)
    await using proxied = await running([backend.id], { acceptProxyProtocol: true })
    const client = proxied.dial()
    client.end(bytes)
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'refused', error: { code: 'PROXY_HEADER_INVALID' } }])
    expect(proxied.balancer.acquired).toEqual([])
  })

  test('a header that never comes is waited for no longer than connectTimeout', async () => {
    await using backend = await TestBackend.start(reveal)
    await using proxied = await running([backend.id], { acceptProxyProtocol: true, connectTimeout: 50 })
    const code = await errorOf(proxied.dial())
    expect(code).toBe('ECONNRESET')
    expect(proxied.ends).toMatchObject([{ outcome: 'refused', error: { message: /within 50 ms/ } }])
  })
})

describe('limits and the end', () => {
  test('connections beyond the limit are dropped, and taken again once there is room', async () => {
    await using backend = await TestBackend.start(echo)
    await using proxied = await running([backend.id], { maxConnections: 1 })
    const first = proxied.dial()
    await lineOf(first)
    await once(proxied.dial().resume(), 'end')
    expect(proxied.proxy.stats()).toMatchObject({ open: 1, accepted: 1, dropped: 1 })
    first.destroy()
    await eventually(() => proxied.proxy.stats().open === 0)
    expect(await lineOf(proxied.dial())).toBe(backend.id)
  })

  test('close lets connections finish and takes no new ones', async () => {
    await using backend = await TestBackend.start(echo)
    await using proxied = await running([backend.id])
    const client = proxied.dial()
    await lineOf(client)
    const closed = proxied.proxy.close()
    expect(await errorOf(proxied.dial())).toBe('ECONNREFUSED')
    client.write('still served')
    expect(await lineOf(client)).toBe('still served')
    client.end()
    await closed
    expect(proxied.ends).toMatchObject([{ outcome: 'finished' }])
    await expect(proxied.proxy.listen({ port: 0 })).rejects.toMatchObject({ code: 'PROXY_CLOSED' })
  })

  test('close resets what is still open after the drain timeout', async () => {
    await using backend = await TestBackend.start(echo)
    await using proxied = await running([backend.id], { drainTimeout: 50 })
    const client = proxied.dial()
    await lineOf(client)
    const code = errorOf(client)
    await proxied.proxy.close()
    expect(await code).toBe('ECONNRESET')
    expect(proxied.ends).toMatchObject([{ outcome: 'closed' }])
    expect(proxied.balancer.active).toBe(0)
    await eventually(() => backend.sockets.size === 0)
  })

  test('a signal closes the proxy', async () => {
    await using backend = await TestBackend.start(echo)
    await using proxied = await running([backend.id])
    const stop = new AbortController()
    await using other = createTcpProxy(proxied.balancer)
    const { port } = await other.listen({ port: 0, host: '127.0.0.1', signal: stop.signal })
    stop.abort()
    expect(await errorOf(connect(port, '127.0.0.1'))).toBe('ECONNREFUSED')
    await expect(other.listen({ port: 0 })).rejects.toMatchObject({ code: 'PROXY_CLOSED' })
  })

  test('a port that is taken is the error of listen', async () => {
    await using backend = await TestBackend.start(echo)
    await using proxied = await running([backend.id])
    await using other = createTcpProxy(proxied.balancer)
    await expect(other.listen({ port: proxied.port, host: '127.0.0.1' })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
  })

  test('a backlog that is no count is refused', async () => {
    await using proxy = createTcpProxy(new Maglev(['127.0.0.1:1']))
    await expect(proxy.listen({ port: 0, host: '127.0.0.1', backlog: 0 })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('backlog'),
    })
  })

  test.each<[string, TcpProxyOptions]>([
    ['connectTimeout', { connectTimeout: 0 }],
    ['idleTimeout', { idleTimeout: 'soon' }],
    ['retries', { retries: -1 }],
    ['maxConnections', { maxConnections: 0.5 }],
    ['drainTimeout', { drainTimeout: Number.NaN }],
    ['acceptProxyProtocol', { acceptProxyProtocol: ['10.0.0.0/33'] }],
    ['acceptProxyProtocol', { acceptProxyProtocol: ['example.com'] }],
  ])('a wrong %s is refused when given', (name, options) => {
    expect(() => createTcpProxy(new Maglev(['a:1']), options)).toThrowError(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    )
  })
})
