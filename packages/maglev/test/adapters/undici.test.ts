import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { eventually, refusedPort } from '@loadbearing/harness/faults'
import { Dispatcher, fetch, interceptors, request } from 'undici'
import { describe, expect, test } from 'vitest'
import { MaglevDispatcher, type MaglevDispatcherOptions } from '../../src/adapters/undici.ts'
import { createPool, Maglev } from '../../src/index.ts'
import { portOf, RecordingBalancer } from './backends.ts'

interface Backend extends AsyncDisposable {
  readonly id: string
  readonly server: Server
  readonly sockets: Set<Socket>
}

async function start(serve?: RequestListener): Promise<Backend> {
  const server = createServer(serve ?? ((_, response) => response.end(id)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const id = `127.0.0.1:${portOf(server)}`
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return {
    id,
    server,
    sockets,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const byUser: MaglevDispatcherOptions = { key: ({ headers }) => headers['x-user'] }

async function ask(dispatcher: Dispatcher, user: string): Promise<string> {
  const { body } = await request('http://service.invalid/orders', { dispatcher, headers: { 'X-User': user } })
  return body.text()
}

describe('routing', () => {
  test('the same key goes to the same origin, the owner in the table', async () => {
    await using one = await start()
    await using two = await start()
    await using three = await start()
    const maglev = new Maglev([one.id, two.id, three.id])
    await using dispatcher = new MaglevDispatcher(maglev, byUser)
    for (let n = 0; n < 30; n++) expect(await ask(dispatcher, `user ${n}`)).toBe(maglev.lookup(`user ${n}`))
    for (let n = 0; n < 30; n++) expect(await ask(dispatcher, `user ${n}`)).toBe(maglev.lookup(`user ${n}`))
    // undici opens another one where a request comes before the last response is wholly done with.
    for (const { sockets } of [one, two, three]) expect(sockets.size).toBeLessThanOrEqual(2)
  })

  test('setHealth reroutes the next request, and only those of that backend', async () => {
    await using one = await start()
    await using two = await start()
    await using three = await start()
    const maglev = new Maglev([one.id, two.id, three.id])
    await using dispatcher = new MaglevDispatcher(maglev, byUser)
    const users = Array.from({ length: 30 }, (_, n) => `user ${n}`)
    const before = await Promise.all(users.map((user) => ask(dispatcher, user)))
    maglev.setHealth(two.id, 'unhealthy')
    const after = await Promise.all(users.map((user) => ask(dispatcher, user)))
    expect(after).not.toContain(two.id)
    expect(after.filter((id, n) => before[n] !== two.id && id !== before[n])).toEqual([])
    maglev.setHealth(two.id, 'healthy')
    expect(await Promise.all(users.map((user) => ask(dispatcher, user)))).toEqual(before)
  })

  test('a pool leases the backend for as long as the request lives, and hears how it went', async () => {
    let release = (): void => {}
    await using one = await start((_, response) => {
      response.writeHead(503).write('half')
      release = () => response.end('whole')
    })
    await using pool = createPool(new Maglev([one.id]), { outlier: { consecutive5xx: 2 } })
    const ejected: string[] = []
    pool.on('ejected', ({ id }) => ejected.push(id))
    await using dispatcher = new MaglevDispatcher(pool, byUser)
    for (const expected of [0, 1]) {
      const { body } = await request('http://service/', { dispatcher, headers: ['x-user', '1'] })
      expect(pool.stats().active).toBe(1)
      release()
      await body.text()
      expect(pool.stats().active).toBe(0)
      expect(ejected).toHaveLength(expected)
    }
  })

  test('headers in every form that undici takes make the same key', async () => {
    await using one = await start()
    const keys: unknown[] = []
    await using dispatcher = new MaglevDispatcher(new Maglev([one.id]), {
      key: ({ headers, path, method, origin }) => {
        keys.push([headers['x-user'], path, method, origin])
        return headers['x-user']
      },
    })
    const forms = [
      { 'X-User': ['a', 'b'] },
      ['X-User', 'a', 'x-user', 'b'],
      new Map([['X-User', 'a, b']]),
      [],
    ]
    for (const headers of forms) {
      const { body } = await request('http://service/p?q=1', { dispatcher, headers })
      await body.dump()
    }
    const expected = ['a, b', '/p?q=1', 'GET', 'http://service']
    expect(keys).toEqual([expected, expected, expected, [undefined, ...expected.slice(1)]])
  })

  test('the origin of a backend is a choice', async () => {
    await using one = await start()
    await using dispatcher = new MaglevDispatcher(new Maglev([{ id: 'shard-1', data: one.id }]), {
      ...byUser,
      origin: ({ data }) => new URL(`http://${String(data)}`),
    })
    expect(await ask(dispatcher, 'x')).toBe(one.id)
  })
})

describe('failures', () => {
  test('a backend that cannot be connected to is passed over, with the body untouched', async () => {
    await using one = await start((incoming, response) => void incoming.pipe(response))
    await using first = await refusedPort()
    await using second = await refusedPort()
    const dead = [first.address, second.address]
    const balancer = new RecordingBalancer(new Maglev([...dead, one.id]))
    await using dispatcher = new MaglevDispatcher(balancer, { ...byUser, retries: 2 })
    for (let n = 0; n < 10; n++) {
      const { body } = await request('http://service/', {
        dispatcher,
        method: 'POST',
        headers: { 'x-user': `user ${n}` },
        body: Readable.from(['read ', 'once']),
      })
      expect(await body.text()).toBe('read once')
    }
    const failed = balancer.reports.filter(([, result]) => result === 'gateway-failure').map(([id]) => id)
    expect(failed.length).toBe(balancer.acquired.length - 10)
    expect(new Set(failed)).toEqual(new Set(dead))
    expect(balancer.active).toBe(0)
  })

  test('one that was started is not repeated', async () => {
    let asked = 0
    const reset: RequestListener = (incoming) => {
      asked++
      incoming.socket.resetAndDestroy()
    }
    await using one = await start(reset)
    await using two = await start(reset)
    const balancer = new RecordingBalancer(new Maglev([one.id, two.id]))
    await using dispatcher = new MaglevDispatcher(balancer, byUser)
    await expect(ask(dispatcher, 'x')).rejects.toThrow(/ECONNRESET|other side closed/)
    expect(asked).toBe(1)
    expect(balancer.reports.map(([, result]) => result)).toEqual(['gateway-failure'])
    expect(balancer.active).toBe(0)
  })

  test('where nobody is left the caller hears why', async () => {
    await using empty = new MaglevDispatcher(new Maglev([]), byUser)
    await expect(ask(empty, 'x')).rejects.toMatchObject({ code: 'NO_BACKEND' })
    await using first = await refusedPort()
    await using second = await refusedPort()
    await using down = new MaglevDispatcher(new Maglev([first.address, second.address]), byUser)
    await expect(ask(down, 'x')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await using throwing = new MaglevDispatcher(new Maglev(['a:1']), {
      key: () => {
        throw new Error('no key')
      },
    })
    await expect(ask(throwing, 'x')).rejects.toThrow('no key')
  })

  test('what the caller does to a request is not held against the backend', async () => {
    await using one = await start(() => {})
    const balancer = new RecordingBalancer(new Maglev([one.id]))
    await using dispatcher = new MaglevDispatcher(balancer, byUser)
    const stop = new AbortController()
    const aborted = request('http://service/', { dispatcher, signal: stop.signal })
    await eventually(() => one.sockets.size === 1)
    stop.abort()
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    const body = new Readable({ read: () => {} })
    const failing = request('http://service/', { dispatcher, method: 'POST', body })
    await eventually(() => balancer.active === 1)
    body.destroy(new Error('the disk is gone'))
    await expect(failing).rejects.toThrow('the disk is gone')
    await expect(request('http://service/', { dispatcher, method: 'BAD METHOD' })).rejects.toThrow(
      'invalid request method',
    )
    expect(balancer).toMatchObject({ active: 0, reports: [] })
  })
})

describe('as a dispatcher', () => {
  test('fetch, stream, pipeline and interceptors work on top of it', async () => {
    let failures = 2
    await using one = await start((incoming, response) => {
      if (incoming.url === '/flaky' && failures-- > 0) response.writeHead(503).end()
      else incoming.pipe(response)
    })
    await using dispatcher = new MaglevDispatcher(new Maglev([one.id]), byUser)
    const fetched = await fetch('http://service/', { dispatcher, method: 'POST', body: 'fetched' })
    expect(await fetched.text()).toBe('fetched')
    const retrying = dispatcher.compose(interceptors.retry({ maxRetries: 3, minTimeout: 1 }))
    const { statusCode } = await request('http://service/flaky', { dispatcher: retrying })
    expect(statusCode).toBe(200)
    const duplex = dispatcher.pipeline(
      { origin: 'http://service', path: '/', method: 'POST' },
      ({ body }) => body,
    )
    duplex.end('piped')
    let piped = ''
    for await (const chunk of duplex) piped += String(chunk)
    expect(piped).toBe('piped')
  })

  test('an upgraded connection keeps its lease until it is closed', async () => {
    await using one = await start()
    one.server.on('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
      socket.pipe(socket)
    })
    const balancer = new RecordingBalancer(new Maglev([one.id]))
    await using dispatcher = new MaglevDispatcher(balancer, byUser)
    const { socket } = await dispatcher.upgrade({ path: '/', protocol: 'echo' })
    expect(balancer.active).toBe(1)
    socket.end('hi')
    let echoed = ''
    for await (const chunk of socket) echoed += String(chunk)
    expect(echoed).toBe('hi')
    await eventually(() => balancer.active === 0)
    expect(balancer.reports).toEqual([[one.id, 101]])
  })

  test('it tells of connections, itself first', async () => {
    await using one = await start()
    await using dispatcher = new MaglevDispatcher(new Maglev([one.id]), byUser)
    const connected = once(dispatcher, 'connect')
    await ask(dispatcher, 'x')
    const [origin, targets] = await connected
    expect(String(origin)).toBe(`http://${one.id}/`)
    expect(targets[0]).toBe(dispatcher)
  })

  test('dispose lets requests finish and closes the connections to all backends', async () => {
    let release = (): void => {}
    await using one = await start((_, response) => {
      release = () => response.end('late')
    })
    await using two = await start()
    const maglev = new Maglev([one.id, two.id])
    const userOf = (id: string): string => {
      const user = Array.from({ length: 100 }, (_, n) => `user ${n}`).find(
        (name) => maglev.lookup(name) === id,
      )
      if (user === undefined) throw new Error(`nobody belongs to ${id}`)
      return user
    }
    const dispatcher = new MaglevDispatcher(maglev, byUser)
    await ask(dispatcher, userOf(two.id))
    const late = ask(dispatcher, userOf(one.id))
    await eventually(() => one.sockets.size === 1 && two.sockets.size === 1)
    const disposed = dispatcher[Symbol.asyncDispose]()
    await expect(ask(dispatcher, 'x')).rejects.toMatchObject({ code: 'UND_ERR_CLOSED' })
    await eventually(() => {
      release()
      return late.then(() => true)
    })
    expect(await late).toBe('late')
    await disposed
    await eventually(() => one.sockets.size + two.sockets.size === 0)
    await dispatcher[Symbol.asyncDispose]()
  })

  test('destroy breaks requests off', async () => {
    await using one = await start(() => {})
    const balancer = new RecordingBalancer(new Maglev([one.id]))
    const dispatcher = new MaglevDispatcher(balancer, byUser)
    const broken = ask(dispatcher, 'x').catch((error: unknown) => error)
    await eventually(() => one.sockets.size === 1)
    await dispatcher.destroy(new Error('enough'))
    expect(await broken).toMatchObject({ message: 'enough' })
    await expect(ask(dispatcher, 'x')).rejects.toMatchObject({ code: 'UND_ERR_DESTROYED' })
    expect(balancer).toMatchObject({ active: 0, reports: [] })
    await eventually(() => one.sockets.size === 0)
  })

  test.each<[string, object]>([
    ['key', {}],
    ['retries', { key: () => 1, retries: -1 }],
    ['origin', { key: () => 1, origin: 'http://a' }],
  ])('a wrong %s is refused when given', (name, options) => {
    expect(
      () => new MaglevDispatcher(new Maglev(['a:1']), options as unknown as MaglevDispatcherOptions),
    ).toThrowError(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    )
  })

  test('what is no balancer is refused', () => {
    expect(() => new MaglevDispatcher({} as unknown as Maglev, byUser)).toThrowError(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })
})
