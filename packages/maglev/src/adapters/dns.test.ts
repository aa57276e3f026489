import { createSocket, type Socket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { simulate } from '@loadbearing/harness'
import { eventually } from '@loadbearing/harness/faults'
import { expect, test } from 'vitest'
import { isMaglevError } from '../errors.ts'
import { Maglev } from '../maglev.ts'
import { createPool } from '../pool/pool.ts'
import { type DnsEvents, type DnsQuery, type DnsResolver, discoverDns } from './dns.ts'

interface AddressRecord {
  type: 'A' | 'AAAA'
  address: string
  ttl: number
}

interface ServiceRecord {
  type: 'SRV'
  priority: number
  weight: number
  port: number
  target: string
  ttl: number
}

type DnsRecord = AddressRecord | ServiceRecord

const typeNumbers = { A: 1, AAAA: 28, SRV: 33 } as const

/** A name server on loopback that answers from `zone`; a name without an entry gets NXDOMAIN. */
class NameServer implements AsyncDisposable {
  zone: Record<string, DnsRecord[]> = {}
  /** While true it hears and says nothing. */
  silent = false
  questions = 0
  readonly #socket: Socket = createSocket('udp4')

  static async start(): Promise<NameServer> {
    const server = new NameServer()
    server.#socket.on('message', (message, { address, port }) => {
      server.questions++
      if (!server.silent) server.#socket.send(server.#answer(message), port, address)
    })
    server.#socket.bind(0, '127.0.0.1')
    await once(server.#socket, 'listening')
    return server
  }

  resolver(): Resolver {
    const resolver = new Resolver({ timeout: 2000, tries: 1 })
    resolver.setServers([`127.0.0.1:${this.#socket.address().port}`])
    return resolver
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close()
    await once(this.#socket, 'close')
  }

  /** RFC 1035, section 4.1. */
  #answer(message: Buffer): Buffer {
    const labels: string[] = []
    let at = 12
    for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
      labels.push(message.toString('latin1', at + 1, at + 1 + length))
      at += 1 + length
    }
    const type = message.readUInt16BE(at + 1)
    const entry = this.zone[labels.join('.')]
    const records = (entry ?? []).filter((record) => typeNumbers[record.type] === type)
    const header = Buffer.alloc(12)
    message.copy(header, 0, 0, 2)
    header.writeUInt16BE(entry === undefined ? 0x8183 : 0x8180, 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(records.length, 6)
    return Buffer.concat([header, message.subarray(12, at + 5), ...records.map(encodeRecord)])
  }
}

function encodeRecord(record: DnsRecord): Buffer {
  const data = encodeData(record)
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(typeNumbers[record.type], 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(record.ttl, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function encodeData(record: DnsRecord): Buffer {
  if (record.type === 'SRV') return encodeService(record)
  if (record.type === 'A') return Buffer.from(record.address.split('.').map(Number))
  return Buffer.concat(
    record.address
      .split(':')
      .map((part) => Buffer.from([Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255])),
  )
}

function encodeService(record: ServiceRecord): Buffer {
  const numbers = Buffer.alloc(6)
  numbers.writeUInt16BE(record.priority, 0)
  numbers.writeUInt16BE(record.weight, 2)
  numbers.writeUInt16BE(record.port, 4)
  const labels = record.target
    .split('.')
    .map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'))
  return Buffer.concat([numbers, ...labels, Buffer.alloc(record.target === '' ? 0 : 1)])
}

const a = (address: string, ttl = 60): DnsRecord => ({ type: 'A', address, ttl })

function idsOf(lb: Maglev): string[] {
  return lb.backends.map(({ id }) => id)
}

test('addresses come and go with the records of a real server, and other backends stay', async () => {
  await using server = await NameServer.start()
  server.zone['api.test'] = [a('10.0.0.1'), a('10.0.0.2')]
  const lb = new Maglev(['fixed:1'])
  await using discovery = discoverDns(
    lb,
    { name: 'api.test', type: 'A', port: 80 },
    { resolver: server.resolver() },
  )
  const updates: DnsEvents['update'][] = []
  discovery.on('update', (update) => updates.push(update))
  await discovery.refresh()
  expect(idsOf(lb)).toEqual(['fixed:1', '10.0.0.1:80', '10.0.0.2:80'])

  server.zone['api.test'] = [a('10.0.0.2'), a('10.0.0.3')]
  await discovery.refresh()
  expect(idsOf(lb)).toEqual(['fixed:1', '10.0.0.2:80', '10.0.0.3:80'])
  expect(discovery.backends).toEqual(['10.0.0.2:80', '10.0.0.3:80'])
  await discovery.refresh()
  expect(updates).toEqual([
    { added: ['10.0.0.1:80', '10.0.0.2:80'], removed: [], reweighted: [] },
    { added: ['10.0.0.3:80'], removed: ['10.0.0.1:80'], reweighted: [] },
  ])
})

test('IPv6 addresses get their brackets', async () => {
  await using server = await NameServer.start()
  server.zone['six.test'] = [{ type: 'AAAA', address: '2001:db8:0:0:0:0:0:1', ttl: 60 }]
  const lb = new Maglev([])
  await using discovery = discoverDns(
    lb,
    { name: 'six.test', type: 'AAAA', port: 443 },
    { resolver: server.resolver() },
  )
  await discovery.refresh()
  expect(idsOf(lb)).toEqual(['[2001:db8::1]:443'])
})

test('service records bring ports, weights and priorities', async () => {
  await using server = await NameServer.start()
  const srv = (target: string, port: number, priority: number, weight: number): DnsRecord => ({
    type: 'SRV',
    target,
    port,
    priority,
    weight,
    ttl: 60,
  })
  server.zone['_http._tcp.test'] = [
    srv('a.test', 8080, 10, 3),
    srv('b.test', 8081, 10, 0),
    srv('c.test', 80, 30, 7),
  ]
  const lb = new Maglev([])
  await using discovery = discoverDns(
    lb,
    { name: '_http._tcp.test', type: 'SRV' },
    { resolver: server.resolver() },
  )
  await discovery.refresh()
  const listed = (): string[] => lb.backends.map(({ id, weight, priority }) => `${id} ${weight} ${priority}`)
  expect(listed()).toEqual(['a.test:8080 3 0', 'b.test:8081 1 0', 'c.test:80 7 1'])

  server.zone['_http._tcp.test'] = [srv('a.test', 8080, 10, 5), srv('c.test', 80, 10, 7)]
  await discovery.refresh()
  expect(listed()).toEqual(['a.test:8080 5 0', 'c.test:80 7 0'])
})

test('a pool is kept up to date as well', async () => {
  await using server = await NameServer.start()
  server.zone['api.test'] = [a('10.0.0.1'), a('10.0.0.2')]
  await using pool = createPool(new Maglev(['10.0.0.9:80']))
  await using discovery = discoverDns(
    pool,
    { name: 'api.test', type: 'A', port: 80 },
    { resolver: server.resolver() },
  )
  await discovery.refresh()
  expect([...pool.states().keys()]).toEqual(['10.0.0.9:80', '10.0.0.1:80', '10.0.0.2:80'])
  server.zone['api.test'] = [a('10.0.0.2')]
  await discovery.refresh()
  await pool.settled()
  expect([...pool.states().keys()]).toEqual(['10.0.0.9:80', '10.0.0.2:80'])
  expect(new Set(Array.from({ length: 200 }, (_, n) => pool.maglev.lookup(`key ${n}`)))).toEqual(
    new Set(['10.0.0.9:80', '10.0.0.2:80']),
  )
})

test.each<[string, (server: NameServer) => void]>([
  ['a name that is gone', (server) => delete server.zone['api.test']],
  ['a name without records', (server) => (server.zone['api.test'] = [])],
  ['a silent server', (server) => (server.silent = true)],
  [
    'too many addresses',
    (server) => (server.zone['api.test'] = [a('10.0.0.1'), a('10.0.0.2'), a('10.0.0.3')]),
  ],
])('%s keeps the last good set and is told', async (_, fail) => {
  await using server = await NameServer.start()
  server.zone['api.test'] = [a('10.0.0.1'), a('10.0.0.2')]
  const lb = new Maglev([])
  await using discovery = discoverDns(
    lb,
    { name: 'api.test', type: 'A', port: 80 },
    { resolver: server.resolver(), maxBackends: 2 },
  )
  const errors: DnsEvents['error'][] = []
  discovery.on('error', (event) => errors.push(event))
  await discovery.refresh()
  fail(server)
  await discovery.refresh()
  expect(idsOf(lb)).toEqual(['10.0.0.1:80', '10.0.0.2:80'])
  expect(errors).toMatchObject([{ failures: 1, retryIn: 1000 }])
  expect(errors.map(({ error }) => isMaglevError(error) && error.code)).toEqual(['DISCOVERY_FAILED'])
})

test('the end of a discovery cancels its question and leaves what was found', async () => {
  await using server = await NameServer.start()
  server.zone['api.test'] = [a('10.0.0.1')]
  const lb = new Maglev([])
  const controller = new AbortController()
  const discovery = discoverDns(
    lb,
    { name: 'api.test', type: 'A', port: 80 },
    { resolver: server.resolver(), signal: controller.signal },
  )
  await discovery.refresh()
  server.silent = true
  const errors: unknown[] = []
  discovery.on('error', (event) => errors.push(event))
  const asked = server.questions
  const refreshed = discovery.refresh()
  await eventually(() => server.questions > asked)
  controller.abort()
  await refreshed
  await discovery[Symbol.asyncDispose]()
  await discovery.refresh()
  expect(idsOf(lb)).toEqual(['10.0.0.1:80'])
  expect(errors).toEqual([])
})

/** A resolver without a network, for time: it answers with the TTL that it was given, or fails. */
function scripted(answers: { ttl?: number; fail?: boolean }, asked: () => void): DnsResolver {
  const resolve4 = async (): Promise<{ address: string; ttl: number }[]> => {
    asked()
    if (answers.fail) throw new Error('refused')
    return [{ address: '10.0.0.1', ttl: answers.ttl ?? 3600 }]
  }
  return { resolve4, resolve6: resolve4, resolveSrv: async () => [], cancel: () => {} }
}

test('questions follow the TTL, the interval, and after failures a doubling wait', async () => {
  await simulate({ runs: 3 }, async ({ clock }) => {
    const times: number[] = []
    const answers: { ttl: number; fail?: boolean } = { ttl: 5 }
    const discovery = discoverDns(
      new Maglev([]),
      { name: 'api.test', type: 'A', port: 80 },
      {
        clock,
        random: { next: () => 0.5 },
        jitter: 0.2,
        interval: '10s',
        resolver: scripted(answers, () => times.push(clock.monotonic())),
      },
    )
    const start = clock.monotonic()
    await clock.sleep(6000)
    answers.ttl = 3600
    await clock.sleep(6000)
    answers.ttl = 0
    await clock.sleep(11_500)
    answers.fail = true
    await clock.sleep(30_000)
    await discovery[Symbol.asyncDispose]()
    const seen = times.map((time) => Math.round(time - start))
    // TTL 5 s and a tenth on top, then the interval of 10 s.
    expect(seen.slice(0, 3)).toEqual([0, 5500, 11_000])
    const waits = seen.slice(1).map((time, index) => time - (seen[index] ?? 0))
    // Twice the least interval for TTL 0, then failures: 1, 2, 4, 8 and at most 10 s.
    expect(waits.slice(2)).toEqual([11_000, 1100, 1100, 1100, 2200, 4400, 8800, 11_000])
    expect(clock.pending).toBe(0)
  })
})

test('one question at a time', async () => {
  let open = 0
  let most = 0
  let answered = (): void => {}
  const resolve4 = async (): Promise<{ address: string; ttl: number }[]> => {
    open++
    most = Math.max(most, open)
    await new Promise<void>((resolve) => {
      answered = resolve
    })
    open--
    return [{ address: '10.0.0.1', ttl: 60 }]
  }
  const resolver: DnsResolver = { resolve4, resolve6: resolve4, resolveSrv: async () => [], cancel: () => {} }
  await using discovery = discoverDns(new Maglev([]), { name: 'x', type: 'A', port: 1 }, { resolver })
  const both = Promise.all([discovery.refresh(), discovery.refresh()])
  answered()
  await both
  expect(most).toBe(1)
})

const noRecords = async (): Promise<never[]> => []

test.each<[unknown]>([
  [null],
  ['10.0.0.1'],
  [[null]],
  [[{}]],
  [[{ address: '__proto__', ttl: 1 }]],
  [[{ address: '::1', ttl: 1 }]],
  [[{ address: '10.0.0.2', ttl: Number.NaN }]],
  [[{ address: '10.0.0.2', ttl: -1 }]],
  [
    [
      { address: '10.0.0.2', ttl: 1 },
      { address: 'a b\r\n', ttl: 1 },
    ],
  ],
])('a resolver that answers %j changes nothing and is told of', async (answer) => {
  const lb = new Maglev([])
  let records: unknown = [{ address: '10.0.0.1', ttl: 60 }]
  const resolver = {
    resolve4: async () => records as never,
    resolve6: noRecords,
    resolveSrv: noRecords,
    cancel: () => {},
  }
  await using discovery = discoverDns(lb, { name: 'x', type: 'A', port: 1 }, { resolver })
  await discovery.refresh()
  records = answer
  const failures: DnsEvents['error'][] = []
  discovery.on('error', (event) => failures.push(event))
  await discovery.refresh()
  expect(idsOf(lb)).toEqual(['10.0.0.1:1'])
  expect(failures).toMatchObject([{ error: { code: 'DISCOVERY_FAILED' } }])
})

test.each([
  ['h', 0],
  ['h', 65_536],
  ['a b', 80],
  ['a:b', 80],
])('a service at %j, port %i, is refused', async (name, port) => {
  const lb = new Maglev([])
  const resolver = {
    resolve4: noRecords,
    resolve6: noRecords,
    resolveSrv: async () => [{ name, port, priority: 0, weight: 0 }],
    cancel: () => {},
  }
  await using discovery = discoverDns(lb, { name: 'x', type: 'SRV' }, { resolver })
  await discovery.refresh()
  expect(idsOf(lb)).toEqual([])
})

test.each<[string, unknown, unknown]>([
  ['name', { name: '', type: 'A', port: 1 }, {}],
  ['type', { name: 'x', type: 'MX' }, {}],
  ['port', { name: 'x', type: 'A', port: 0 }, {}],
  ['interval', { name: 'x', type: 'SRV' }, { interval: 0 }],
  ['minInterval', { name: 'x', type: 'SRV' }, { interval: '1s', minInterval: '2s' }],
  ['jitter', { name: 'x', type: 'SRV' }, { jitter: Number.NaN }],
  ['maxBackends', { name: 'x', type: 'SRV' }, { maxBackends: 0 }],
])('a wrong %s is refused by name', (name, query, options) => {
  const wrong = (): unknown => discoverDns(new Maglev([]), query as DnsQuery, options as object)
  expect(wrong).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
  )
})
