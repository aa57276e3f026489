import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hystrixStream, type TurbineSource, turbineStream } from '../../src/adapters/stream.ts'
import { aggregate } from '../../src/adapters/stream-aggregate.ts'
import { frameText, readData, type StreamData } from '../../src/adapters/stream-data.ts'
import { Breaker, InvalidOptionError, Registry } from '../../src/index.ts'
import { type Served, StreamListener, served } from './served.ts'
import { steppedClock } from './stepped-clock.ts'

const quick = { delay: 10 }

describe('aggregation', () => {
  const command = (
    fields: Record<string, string | number | boolean | Record<string, number>>,
  ): StreamData => ({
    type: 'HystrixCommand',
    name: 'users',
    reportingHosts: 1,
    ...fields,
  })

  test('sums numbers and the numbers of maps', () => {
    const [sum] = aggregate([
      [command({ requestCount: 3, latencyExecute: { '50': 10, '99.5': 20 }, errorPercentage: 100 })],
      [command({ requestCount: 4, latencyExecute: { '50': 1, '99.5': 2 }, errorPercentage: 50 })],
    ])
    expect(sum).toEqual(
      command({
        requestCount: 7,
        latencyExecute: { '50': 11, '99.5': 22 },
        errorPercentage: 150,
        reportingHosts: 2,
      }),
    )
  })

  test('keeps what all agree on, and counts what they do not', () => {
    const [sum] = aggregate([
      [command({ isCircuitBreakerOpen: true, group: 'g', propertyValue_timeout: 10, currentTime: 5 })],
      [command({ isCircuitBreakerOpen: false, group: 'g', propertyValue_timeout: 10, currentTime: 9 })],
      [command({ isCircuitBreakerOpen: false, group: 'h', propertyValue_timeout: 10, currentTime: 7 })],
    ])
    expect(sum).toEqual(
      command({
        isCircuitBreakerOpen: '{"false":2,"true":1}',
        group: '{"g":2,"h":1}',
        propertyValue_timeout: 10,
        currentTime: 9,
        reportingHosts: 3,
      }),
    )
  })

  test('sums the properties of pools, which the dashboard divides', () => {
    const pool = { type: 'HystrixThreadPool', name: 'users', reportingHosts: 1, propertyValue_size: 5 }
    expect(aggregate([[pool], [pool]])).toEqual([{ ...pool, reportingHosts: 2, propertyValue_size: 10 }])
  })

  test('adds hosts that another aggregation has counted', () => {
    const [sum] = aggregate([
      [command({ isCircuitBreakerOpen: '{"false":2,"true":1}', requestCount: 30, reportingHosts: 3 })],
      [command({ isCircuitBreakerOpen: true, requestCount: 1 })],
      [command({ isCircuitBreakerOpen: false, requestCount: 4, reportingHosts: 2 })],
    ])
    expect(sum).toEqual(
      command({ isCircuitBreakerOpen: '{"false":4,"true":2}', requestCount: 35, reportingHosts: 6 }),
    )
  })

  test('a text that only looks counted is a text', () => {
    for (const group of ['{', '{}', '{"a":"b","c":"d"}', '{"a":null,"b":-1}', '{"a":1}', '{a:1,b:2}']) {
      const [sum] = aggregate([[command({ group, reportingHosts: 3 })]])
      expect(sum).toMatchObject({ group })
    }
  })

  // Any way of putting the hosts into tiers gives the same.
  test('does not depend on tiers', () => {
    const host = fc.record({
      requestCount: fc.nat(1000),
      isCircuitBreakerOpen: fc.boolean(),
      latencyExecute: fc.record({ '50': fc.nat(100), '99.5': fc.nat(100) }),
      propertyValue_a: fc.constantFrom(1, 2),
    })
    fc.assert(
      fc.property(fc.array(host, { minLength: 2, maxLength: 8 }), fc.nat(8), (hosts, cut) => {
        const sources = hosts.map((fields) => [command(fields)])
        const tiers = [sources.slice(0, cut), sources.slice(cut)].map((tier) => aggregate(tier))
        expect(aggregate(tiers)).toEqual(aggregate(sources))
      }),
    )
  })

  test('a field named __proto__ is a field', () => {
    const hostile = readData('{"type":"t","name":"n","__proto__":{"polluted":1},"constructor":2}')
    expect(hostile).toBeDefined()
    const [sum] = aggregate([[hostile ?? expect.unreachable()], [hostile ?? expect.unreachable()]])
    expect(JSON.parse(frameText(sum ?? expect.unreachable()).slice(6))).toEqual(
      JSON.parse('{"type":"t","name":"n","__proto__":{"polluted":2},"constructor":4,"reportingHosts":2}'),
    )
    expect({}).not.toHaveProperty('polluted')
  })
})

test.each([
  '',
  'x',
  '[]',
  'null',
  '1',
  '{}',
  '{"type":"t"}',
  '{"type":1,"name":"n"}',
  '{"name":"n"}',
  '{"type":"t","name":"n"',
])('a frame that is none is left out: %s', (text) => {
  expect(readData(text)).toBeUndefined()
})

async function fleet(count: number): Promise<{ peers: Served[]; registries: Registry[] } & AsyncDisposable> {
  const registries = Array.from({ length: count }, () => new Registry())
  const peers = await Promise.all(registries.map((registry) => served(hystrixStream(registry, quick))))
  return {
    registries,
    peers,
    async [Symbol.asyncDispose]() {
      for (const peer of peers) await peer[Symbol.asyncDispose]()
    },
  }
}

/** Calls of a breaker whose time stands still, so that they stay within its window. */
async function called(registry: Registry, name: string, times: number): Promise<void> {
  const breaker = registry.getOrCreate(name, (own) => new Breaker({ name: own, clock: steppedClock() }))
  for (let n = 0; n < times; n++) await breaker.execute(() => n)
}

describe('turbine.stream', () => {
  test('shows the fleet as one, and what it loses', async () => {
    await using three = await fleet(3)
    const [a, b, c] = three.registries
    await Promise.all([a, b, c].map((registry, n) => called(registry ?? new Registry(), 'users', n + 1)))
    await called(a ?? new Registry(), 'only a', 2)
    const turbine = turbineStream(
      three.peers.map(({ url }) => url),
      { ...quick, timeout: '5s' },
    )
    const lost: string[] = []
    turbine.on('lost', ({ url, error }) => lost.push(`${url} ${error.message}`))
    await using server = await served(turbine)
    using client = await StreamListener.open(server.url)
    await client.until(({ frames }) =>
      frames.find(
        (frame) => frame.name === 'users' && frame['reportingHosts'] === 3 && frame['requestCount'] === 6,
      ),
    )
    expect(turbine.peers.map(({ connected }) => connected)).toEqual([true, true, true])
    await three.peers[0]?.[Symbol.asyncDispose]()
    const deleted = await client.until(({ frames }) => frames.find((frame) => 'deleteData' in frame))
    expect(deleted).toMatchObject({ name: 'only a', deleteData: 'true' })
    const rest = await client.next('users')
    expect(rest).toMatchObject({ reportingHosts: 2, requestCount: 5 })
    expect(lost).toHaveLength(1)
    await turbine[Symbol.asyncDispose]()
  })

  test('comes back to a peer that comes back', async () => {
    const clock = steppedClock()
    const registry = new Registry()
    await called(registry, 'users', 1)
    const first = await served(hystrixStream(registry, quick))
    const turbine = turbineStream([first.url], { clock })
    const events: string[] = []
    turbine.on('connect', () => events.push('connect'))
    turbine.on('lost', ({ retryIn }) => events.push(`lost, again in ${retryIn}`))
    await using server = await served(turbine)
    using client = await StreamListener.open(server.url)
    const until = async (event: string): Promise<void> => {
      while (events.at(-1) !== event) await new Promise((resolve) => setImmediate(resolve))
    }
    await until('connect')
    while (turbine.peers[0]?.reported === 0) await new Promise((resolve) => setImmediate(resolve))
    await first[Symbol.asyncDispose]()
    await until('lost, again in 1000')
    clock.advance(1000)
    await until('lost, again in 2000')
    clock.advance(2000)
    await until('lost, again in 4000')
    await using second = await served(hystrixStream(registry, quick), first.port)
    expect(second.port).toBe(first.port)
    clock.advance(4000)
    await until('connect')
    while (turbine.peers[0]?.reported === 0) await new Promise((resolve) => setImmediate(resolve))
    const next = client.next('users')
    clock.advance(500)
    expect(await next).toMatchObject({ reportingHosts: 1 })
    await turbine[Symbol.asyncDispose]()
    expect(clock.pending()).toBe(0)
  })

  test('peers that hang, lie, flood or fail do not stop the others', async () => {
    await using good = await fleet(1)
    await called(good.registries[0] ?? new Registry(), 'users', 3)
    const events = { 'Content-Type': 'text/event-stream' }
    const listeners: ((response: ServerResponse) => void)[] = [
      // Hangs before and after the head.
      () => {},
      (response) => response.writeHead(200, events).flushHeaders(),
      (response) => response.writeHead(500).end('no'),
      (response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>'),
      (response) => response.writeHead(302, { Location: '/elsewhere' }).end(),
      (response) => {
        response.writeHead(200, events)
        for (const line of [
          '{',
          'null',
          '[]',
          '{"type":"HystrixCommand"}',
          '{"type":"x","name":"y","z":null}',
        ])
          response.write(`data: ${line}\n\n`)
      },
      // Flood of names, and an event without an end.
      (response) => {
        response.writeHead(200, events)
        for (let n = 0; n < 6000; n++)
          response.write(`data: {"type":"HystrixCommand","name":"flood ${n}","reportingHosts":1}\n\n`)
        response.write('ping: \n\n')
      },
      (response) => {
        response.writeHead(200, events)
        response.write(`data: ${'x'.repeat(300_000)}`)
      },
    ]
    const bad = await Promise.all(listeners.map((listener) => served((_, response) => listener(response))))
    const broken = createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.end('SSH-2.0-OpenSSH_9.2\r\n')
    }).listen(0, '127.0.0.1')
    await once(broken, 'listening')
    const address = broken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const sources = [...bad, ...good.peers].map(({ url }) => url)
    const turbine = turbineStream([...sources, `http://127.0.0.1:${port}/`, 'http://127.0.0.1:9/'], {
      ...quick,
      timeout: '2s',
    })
    const reasons = new Map<string, string>()
    turbine.on('lost', ({ url, error }) => {
      if (!reasons.has(url)) reasons.set(url, error.message)
    })
    await using server = await served(turbine)
    using client = await StreamListener.open(server.url)
    await client.until(({ frames }) => frames.find(({ name }) => name === 'users'))
    const reasonOf = (index: number): string | undefined => reasons.get(`${bad[index]?.url}/`)
    // The two others hang as well, once they have told what they have; a few at a time are lost.
    const lost = [0, 1, 2, 3, 4, 7]
    await client.until(() => lost.every((index) => reasonOf(index) !== undefined))
    for (const gone of [port, 9])
      await client.until(() => reasons.get(`http://127.0.0.1:${gone}/`) !== undefined)
    expect(lost.map(reasonOf)).toEqual([
      'nothing came for 2000 ms',
      'nothing came for 2000 ms',
      'it answered 500',
      'it is no event stream, but text/html',
      'it answered 302',
      'an event is longer than 262144 characters',
    ])
    const flood = turbine.peers.find(({ url }) => url === `${bad[6]?.url}/`)
    expect(flood?.reported ?? 0).toBeLessThanOrEqual(5000)
    expect(await client.next('users')).toMatchObject({ requestCount: 3, reportingHosts: 1 })
    await turbine[Symbol.asyncDispose]()
    for (const each of bad) await each[Symbol.asyncDispose]()
    broken.close()
  })

  test('follows a list that changes, and keeps the last one where it cannot be had', async () => {
    const clock = steppedClock()
    await using two = await fleet(2)
    const [a, b] = two.registries
    await called(a ?? new Registry(), 'users', 1)
    await called(b ?? new Registry(), 'users', 2)
    const [first = '', second = ''] = two.peers.map(({ url }) => url)
    let answer: () => Promise<readonly TurbineSource[]> = async () => [first]
    const turbine = turbineStream(() => answer(), { clock, refresh: '1s', timeout: '1h' })
    const errors: unknown[] = []
    turbine.on('refreshError', ({ error }) => errors.push(error))
    await using server = await served(turbine)
    using client = await StreamListener.open(server.url)
    const reporting = async (...urls: string[]): Promise<void> => {
      const now = (): string =>
        JSON.stringify(turbine.peers.flatMap(({ url, reported }) => (reported > 0 ? [url.slice(0, -1)] : [])))
      while (now() !== JSON.stringify(urls)) await new Promise((resolve) => setImmediate(resolve))
    }
    await reporting(first)
    answer = async () => [{ url: second, headers: { 'X-Reader': 'turbine' } }, first, first]
    while (clock.pending() < 3) await new Promise((resolve) => setImmediate(resolve))
    clock.advance(1000)
    await reporting(first, second)
    answer = () => Promise.reject(new Error('no directory'))
    clock.advance(1000)
    while (errors.length < 1) await new Promise((resolve) => setImmediate(resolve))
    answer = async () => ['not an address']
    while (errors.length < 2) {
      clock.advance(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(errors[1]).toBeInstanceOf(InvalidOptionError)
    await reporting(first, second)
    answer = async () => [second]
    while (turbine.peers.length > 1) {
      clock.advance(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await reporting(second)
    client[Symbol.dispose]()
    while (turbine.connections > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(turbine.peers).toEqual([])
    expect(clock.pending()).toBe(0)
    await turbine[Symbol.asyncDispose]()
  })

  test('connects to nobody while nobody reads', async () => {
    const connected = createServer(() => expect.unreachable()).listen(0, '127.0.0.1')
    await once(connected, 'listening')
    const clock = steppedClock()
    const turbine = turbineStream(() => expect.unreachable(), { clock })
    expect(turbine.peers).toEqual([])
    expect(clock.pending()).toBe(0)
    await turbine[Symbol.asyncDispose]()
    connected.close()
  })

  test('leaves out what a peer has stopped to report', async () => {
    const clock = steppedClock()
    const lines: string[] = ['a', 'b']
    const responses: ServerResponse[] = []
    const send = (name: string): void => {
      for (const response of responses) response.write(`data: {"type":"HystrixCommand","name":"${name}"}\n\n`)
    }
    await using peer = await served((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      responses.push(response)
      for (const line of lines) send(line)
    })
    const turbine = turbineStream([peer.url], { clock, timeout: '2s' })
    await using server = await served(turbine)
    using client = await StreamListener.open(server.url)
    while (turbine.peers[0]?.reported !== 2) await new Promise((resolve) => setImmediate(resolve))
    for (let tick = 0; tick < 6; tick++) {
      const seen = client.frames.length
      send('a')
      clock.advance(500)
      await client.until(({ frames }) => frames.length > seen)
    }
    const deleted = await client.until(({ frames }) => frames.find((frame) => 'deleteData' in frame))
    expect(deleted).toMatchObject({ name: 'b' })
    await turbine[Symbol.asyncDispose]()
  })
})

test.each([
  ['not an address', /^a source must be a URL of http or https such as .*, not "not an address"$/],
  ['file:///etc/passwd', /^a source must be a URL/],
  [7, /^a source must be a URL .*, not 7$/],
  [{ url: 'http://a/', headres: {} }, /there is no "headres"/],
  [{ url: 'http://a/', headers: { a: 1 } }, /^header "a" of a source must be a text, not 1$/],
  [null, /^a source must be a URL/],
])('refuses the source %j', (source, message) => {
  expect(() => turbineStream([source as string])).toThrow(message)
  expect(() => turbineStream(source as never)).toThrow(InvalidOptionError)
})
