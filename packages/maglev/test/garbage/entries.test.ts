import { metrics } from '@opentelemetry/api'
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import * as dns from '../../src/adapters/dns.ts'
import * as http from '../../src/adapters/http-proxy.ts'
import * as otel from '../../src/adapters/otel.ts'
import * as prometheus from '../../src/adapters/prometheus.ts'
import * as redis from '../../src/adapters/redis.ts'
import * as tcp from '../../src/adapters/tcp-proxy.ts'
import * as undici from '../../src/adapters/undici.ts'
import * as cilium from '../../src/compat/cilium.ts'
import * as envoy from '../../src/compat/envoy.ts'
import * as index from '../../src/index.ts'
import { createPool, isMaglevError, Maglev } from '../../src/index.ts'
import * as snapshot from '../../src/snapshot.ts'
import { mutated, mutation } from './mutations.ts'

/** Right arguments of every exported function, made anew for each call, since some are changed by it. */
type Entry = readonly [name: string, call: (...args: never[]) => unknown, right: () => unknown[]]

const table = (): Maglev => new Maglev(['10.0.0.1:80', '10.0.0.2:80'], { tableSize: 7 })
const secret = '00'.repeat(16)
const keyed = (): Maglev => new Maglev(['a'], { tableSize: 7, secret })
const shared = (): Maglev => new Maglev(['a', 'b'], { tableSize: 7, shared: true })
const pool = (): index.Pool => createPool(table(), { outlier: true })
/** A client of Redis that answers nothing. */
const connect = (): Redis => {
  const client = { on: () => undefined, status: 'end', disconnect: () => undefined }
  return new Proxy(client, {
    get: (target, name) => Reflect.get(target, name) ?? (name === 'then' ? undefined : async () => null),
  }) as never
}
const resolver = (): dns.DnsResolver => ({
  resolve4: async () => [{ address: '10.0.0.3', ttl: 30 }],
  resolve6: async () => [],
  resolveSrv: async () => [],
  cancel: () => undefined,
})
const policy = [
  { header: 'a', terminal: true },
  { cookie: 'b', ttl: '1s', path: '/', attributes: { Secure: '' } },
]
const request = {
  headers: { a: ['b'], cookie: 'c=d' },
  path: '/?e=f',
  remote: { address: '10.0.0.1', port: 1 },
  local: { address: '10.0.0.2', port: 2 },
  filterState: new Map([['g', 'h']]),
}
const cluster = {
  name: 'n',
  type: 'STATIC',
  lb_policy: 'MAGLEV',
  maglev_lb_config: { table_size: 7 },
  common_lb_config: { healthy_panic_threshold: { value: 50 }, locality_weighted_lb_config: {} },
  health_checks: [
    {
      interval: '1s',
      timeout: '1s',
      healthy_threshold: 1,
      unhealthy_threshold: 1,
      http_health_check: { path: '/' },
    },
  ],
  outlier_detection: { interval: '1s', max_ejection_percent: 10 },
  load_assignment: {
    endpoints: [
      {
        locality: { zone: 'a' },
        load_balancing_weight: 1,
        lb_endpoints: [
          {
            endpoint: { address: { socket_address: { address: '10.0.0.1', port_value: 80 } } },
            metadata: { filter_metadata: { 'envoy.lb': { hash_key: 'k' } } },
          },
        ],
      },
    ],
  },
}

const entries: readonly Entry[] = [
  [
    'Maglev',
    (...args: never[]) => Reflect.construct(Maglev, args),
    () => [
      [{ id: 'a', weight: 1, zone: 'z', priority: 0, address: 'a:1' }],
      { tableSize: 7, mode: 'stable', seed: '1', zones: { z: 1 }, rebuild: 'sync' },
    ],
  ],
  [
    'createPool',
    createPool,
    () => [
      table(),
      {
        active: { type: 'tcp', interval: '1h', timeout: 5 },
        outlier: { interval: '1s' },
        panicThreshold: 0.5,
        overProvisioning: 1.4,
        boundedLoad: 1.25,
        slowStart: { window: '1s' },
        tracking: { capacity: 8, ttl: '1s' },
      },
    ],
  ],
  ['attach', index.attach, () => [{ ...shared().share() }, {}]],
  ['addressOf', index.addressOf, () => [{ id: 'a:1', address: '10.0.0.1:80' }]],
  ['hashPolicies', index.hashPolicies, () => [policy, table()]],
  [
    'the function of hashPolicies',
    index.hashPolicies([
      { header: 'a' },
      { cookie: 'c', ttl: 0 },
      { queryParameter: 'e' },
      { sourceAddress: true },
      { filterState: 'g' },
    ]),
    () => [request],
  ],
  ['prefixKey', index.prefixKey, () => [[1, 2], 2, table()]],
  ['isPrime', index.isPrime, () => [7]],
  ['nextPrime', index.nextPrime, () => [8]],
  ['isMaglevError', isMaglevError, () => [new Error('x')]],
  ['toBytes', snapshot.toBytes, () => [table()]],
  ['toJson', snapshot.toJson, () => [table()]],
  ['restore, bytes', snapshot.restore, () => [snapshot.toBytes(table()), {}]],
  ['restore, text', snapshot.restore, () => [snapshot.toJson(keyed()), { secret }]],
  ['fromEnvoyCluster', envoy.fromEnvoyCluster, () => [cluster]],
  [
    'toEnvoyCluster',
    envoy.toEnvoyCluster,
    () => [
      {
        name: 'n',
        backends: [
          { id: 'a', address: '10.0.0.1:80', weight: 1, zone: 'z', priority: 0, data: { hostname: 'h' } },
        ],
        options: { mode: 'envoy', tableSize: 7, zones: { z: 1 } },
        pool: {
          panicThreshold: 0.5,
          overProvisioning: 1.4,
          boundedLoad: 1.25,
          outlier: { interval: '1s' },
          active: {
            type: 'http',
            interval: '1s',
            timeout: '1s',
            jitter: 0,
            healthyThreshold: 1,
            unhealthyThreshold: 1,
            path: '/',
            host: 'h',
            statuses: [200],
          },
        },
      },
    ],
  ],
  ['ciliumId', cilium.ciliumId, () => [{ ip: '10.0.0.1', port: 80, protocol: 'TCP', scope: 'internal' }]],
  [
    'fromCiliumBackends',
    cilium.fromCiliumBackends,
    () => [[{ ip: '10.0.0.1', port: 80, state: 'active', weight: 1 }]],
  ],
  [
    'toCiliumBackends',
    cilium.toCiliumBackends,
    () => [[{ id: '[10.0.0.1:80/TCP,State:active]', weight: 2, health: 'healthy' }]],
  ],
  [
    'fromCiliumFlags, arguments',
    cilium.fromCiliumFlags,
    () => [['--bpf-lb-maglev-table-size=251', '--bpf-lb-maglev-hash-seed', 'JLfvgnHc2kaSUFaI']],
  ],
  [
    'fromCiliumFlags, ConfigMap',
    cilium.fromCiliumFlags,
    () => [{ 'bpf-lb-maglev-table-size': '251', 'bpf-lb-maglev-hash-seed': 'JLfvgnHc2kaSUFaI' }],
  ],
  ['toCiliumFlags', cilium.toCiliumFlags, () => [{ tableSize: 251, seed: 'JLfvgnHc2kaSUFaI' }]],
  [
    'discoverDns',
    dns.discoverDns,
    () => [
      table(),
      { name: 'a.test', type: 'A', port: 80 },
      {
        interval: '1h',
        minInterval: '1s',
        jitter: 0.1,
        maxBackends: 9,
        resolver: resolver(),
        signal: new AbortController().signal,
      },
    ],
  ],
  ['routeRedis', redis.routeRedis, () => [table(), { onDisconnect: 'fail', connect, redis: { db: 1 } }]],
  ['prometheusText', prometheus.prometheusText, () => [{ users: pool() }]],
  ['registerPrometheus', prometheus.registerPrometheus, () => [new Registry(), { users: pool() }]],
  ['observePools', otel.observePools, () => [metrics.getMeter('garbage'), { users: pool() }]],
  [
    'createTcpProxy',
    tcp.createTcpProxy,
    () => [
      table(),
      {
        key: () => 'k',
        acceptProxyProtocol: ['10.0.0.0/8'],
        sendProxyProtocol: 1,
        connectTimeout: '1s',
        retries: 1,
        idleTimeout: '1s',
        maxConnections: 1,
        drainTimeout: 1,
      },
    ],
  ],
  [
    'formatProxyHeader',
    tcp.formatProxyHeader,
    () => [2, { address: '10.0.0.1', port: 1 }, { address: '10.0.0.2', port: 2 }],
  ],
  ['parseProxyHeader', tcp.parseProxyHeader, () => [Buffer.from('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n')]],
  [
    'createHttpProxy',
    http.createHttpProxy,
    () => [
      table(),
      {
        key: policy,
        acceptProxyProtocol: true,
        trustForwarded: ['10.0.0.0/8'],
        forwarded: 'forwarded',
        via: 'v',
        connectTimeout: 1,
        timeout: '1s',
        idleTimeout: 1,
        headersTimeout: 1,
        keepAliveTimeout: 1,
        maxHeaderBytes: 99,
        retries: 0,
        maxConnections: 1,
        drainTimeout: 1,
      },
    ],
  ],
  [
    'MaglevDispatcher',
    (...args: never[]) => Reflect.construct(undici.MaglevDispatcher, args),
    () => [table(), { key: () => 'k', origin: () => 'http://a', retries: 1, agent: {} }],
  ],
]

const methods: readonly Entry[] = [
  ...methodsOf('Maglev', table, {
    lookup: ['k', 0],
    pick: ['k', 0],
    lookupMany: [['k', 1]],
    replicas: ['k', 2],
    explain: ['k'],
    hashOf: ['k'],
    sibling: [['c']],
    add: [{ id: 'c', weight: 1 }],
    remove: ['10.0.0.1:80'],
    setWeight: ['10.0.0.1:80', 2],
    setHealth: ['10.0.0.1:80', 'unhealthy'],
    update: [{ add: ['c'], remove: [], weight: { '10.0.0.1:80': 2 }, health: {} }, 'sync'],
    plan: [{ add: ['c'], weight: { '10.0.0.1:80': 2 } }],
    on: ['rebuild', () => undefined],
    owners: [],
    settled: [],
  }),
  ...methodsOf('Pool', pool, {
    acquire: ['k', { exclude: new Set(['x']), flow: 'f', attempt: 0, signal: new AbortController().signal }],
    update: [{ add: ['c'], weight: { '10.0.0.1:80': 2 } }],
    setWeight: ['10.0.0.1:80', 2],
    drain: ['10.0.0.1:80', { signal: new AbortController().signal }],
    disable: ['10.0.0.1:80'],
    enable: ['10.0.0.1:80'],
    on: ['state', () => undefined],
    states: [],
    stats: [],
    ready: [],
    settled: [],
  }),
  ...methodsOf('Lease', () => pool().acquire('k'), { report: [200] }),
  ...methodsOf('AttachedMaglev', () => index.attach(shared().share()), {
    lookup: ['k'],
    lookupMany: [['k', 2]],
  }),
  ...methodsOf(
    'DnsDiscovery',
    () => dns.discoverDns(table(), { name: 'a.test', type: 'A', port: 80 }, { resolver: resolver() }),
    { on: ['update', () => undefined], refresh: [] },
  ),
  ...methodsOf('TcpProxy', () => tcp.createTcpProxy(table()), {
    on: ['end', () => undefined],
    listen: [{ port: 0, host: '127.0.0.1', signal: new AbortController().signal }],
    stats: [],
  }),
  ...methodsOf('HttpProxy', () => http.createHttpProxy(table()), {
    on: ['end', () => undefined],
    listen: [{ port: 0, host: '127.0.0.1', signal: new AbortController().signal }],
    stats: [],
  }),
  ...methodsOf('RedisRouter', () => redis.routeRedis(new Maglev(['a'], { tableSize: 7 }), { connect }), {
    get: ['k'],
    set: ['k', 'v'],
    mset: [{ a: 'b' }],
    call: ['GET', 'k'],
    nodeOf: ['k'],
    node: ['a'],
  }),
]

function methodsOf(kind: string, make: () => object, right: Readonly<Record<string, unknown[]>>): Entry[] {
  return Object.entries(right).map(
    ([name, args]): Entry => [
      `${kind}.${name}`,
      async (...given: never[]) => {
        const owner = make()
        try {
          return await Reflect.apply(Object(Reflect.get(owner, name)), owner, given)
        } finally {
          await end(owner)
        }
      },
      () => args,
    ],
  )
}

/** Ends what a call made. */
async function end(made: unknown): Promise<void> {
  if (typeof made !== 'object' || made === null) return
  const dispose: unknown = Reflect.get(made, Symbol.asyncDispose) ?? Reflect.get(made, Symbol.dispose)
  if (typeof dispose === 'function') await Reflect.apply(dispose, made, [])
}

/** Undefined where all is well, that is where it succeeds, or fails with an error that names a culprit. */
async function wrong([name, call]: Entry, args: readonly unknown[]): Promise<unknown> {
  // Its callbacks are ioredis's: what they throw is uncaught there as well.
  if (name.startsWith('RedisRouter') && args.some((arg) => typeof arg === 'function')) return undefined
  try {
    await end(await Reflect.apply(call, undefined, args))
  } catch (error) {
    if (isMaglevError(error) && error.message.length > 10 && error.message.length < 1000) return undefined
    // What the system answers, as to a host that there is not.
    if (error instanceof Error && 'syscall' in error) return undefined
    // What the caller's own function throws is the caller's.
    if (error instanceof TypeError && error.message === 'thrown by the caller') return undefined
    return error
  }
  return undefined
}

test('every function of every entry is here', () => {
  const exported = [index, snapshot, envoy, cilium, dns, redis, prometheus, otel, tcp, http, undici].flatMap(
    (entry) => Object.entries(entry).flatMap(([name, value]) => (typeof value === 'function' ? [name] : [])),
  )
  const known = entries.map(([name]) => name.replace(/,.*/, ''))
  const classes = ['MaglevError', 'TcpProxy', 'HttpProxy', 'Pool']
  expect(exported.filter((name) => !known.includes(name) && !classes.includes(name))).toEqual([])
})

describe.each([...entries, ...methods])('%s', (...entry) => {
  const [, , right] = entry
  test('takes what is right', async () => {
    const made: unknown = await Reflect.apply(entry[1], undefined, right())
    expect(made).not.toBeInstanceOf(Error)
    await end(made)
  })
  test('refuses what is wrong with an error that names it', async () => {
    for (let count = right().length; count >= 0; count--) {
      expect(await wrong(entry, right().slice(0, count))).toBeUndefined()
    }
    await fc.assert(
      fc.asyncProperty(mutation, async (how) => {
        expect(await wrong(entry, mutated(right(), how))).toBeUndefined()
      }),
      { numRuns: 100 },
    )
  })
})
