import { array, assert, constantFrom, integer, option, property, record, uniqueArray } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMaglevError } from '../errors.ts'
import { Maglev } from '../maglev.ts'
import { createPool } from '../pool/pool.ts'
import { fromEnvoyCluster, toEnvoyCluster } from './envoy.ts'

interface HostFields {
  hash_key?: unknown
  hostname?: string
  [field: string]: unknown
}

function host(address: string, port: number, { hash_key, hostname, ...fields }: HostFields = {}): object {
  return {
    endpoint: {
      address: { socket_address: { address, port_value: port } },
      ...(hostname !== undefined && { hostname }),
    },
    ...(hash_key !== undefined && { metadata: { filter_metadata: { 'envoy.lb': { hash_key } } } }),
    ...fields,
  }
}

function cluster(hosts: unknown[], fields: object = {}): Record<string, unknown> {
  return {
    name: 'users',
    lb_policy: 'MAGLEV',
    maglev_lb_config: { table_size: 7 },
    load_assignment: { cluster_name: 'users', endpoints: [{ lb_endpoints: hosts }] },
    ...fields,
  }
}

const six = [90, 91, 92, 93, 94, 95]

function table(json: unknown): string {
  const { backends, options } = fromEnvoyCluster(json)
  return new Maglev(backends, options).owners().join(' ')
}

describe('tables', () => {
  // The goldens of envoyproxy/envoy, test/extensions/load_balancing_policies/maglev/maglev_lb_test.cc.
  test('of hosts by address', () => {
    expect(table(cluster(six.map((port) => host('127.0.0.1', port))))).toBe('2 4 0 1 5 0 3')
  })

  test('of hosts by hostname', () => {
    const hosts = six.map((port) => host('127.0.0.1', port, { hostname: String(port) }))
    const hashing = { common_lb_config: { consistent_hashing_lb_config: { use_hostname_for_hashing: true } } }
    expect(table(cluster(hosts, hashing))).toBe('2 5 0 3 4 1 0')
  })

  test('of hosts by metadata, which goes before all else; a number is none', () => {
    const hosts = six.map((port) => host('10.9.8.7', port, { hash_key: `127.0.0.1:${port}`, hostname: 'x' }))
    const hashing = { common_lb_config: { consistent_hashing_lb_config: { use_hostname_for_hashing: true } } }
    expect(table(cluster(hosts, hashing))).toBe('2 4 0 1 5 0 3')
    expect(table(cluster(six.map((port) => host('127.0.0.1', port, { hash_key: 7 }))))).toBe('2 4 0 1 5 0 3')
  })

  test('of localities with weights', () => {
    const json = cluster([], {
      maglevLbConfig: { tableSize: '17' },
      maglev_lb_config: null,
      commonLbConfig: { localityWeightedLbConfig: {} },
      loadAssignment: {
        endpoints: [
          { locality: { zone: 'a' }, loadBalancingWeight: 8, lbEndpoints: [host('127.0.0.1', 90)] },
          {
            locality: { zone: 'b' },
            loadBalancingWeight: '2',
            lbEndpoints: [host('127.0.0.1', 91, { loadBalancingWeight: 2 })],
          },
          { locality: { zone: 'c' }, lbEndpoints: [host('127.0.0.1', 92)] },
        ],
      },
      load_assignment: undefined,
    })
    expect(table(json)).toBe('1 0 0 0 0 0 1 0 0 1 0 1 0 0 0 0 0')
  })
})

test('the typed policy goes before the older fields', () => {
  const json = cluster(
    six.map((port) => host('127.0.0.1', port)),
    {
      lb_policy: 'ROUND_ROBIN',
      maglev_lb_config: { table_size: 13 },
      load_balancing_policy: {
        policies: [
          {
            typed_extension_config: {
              name: 'envoy.load_balancing_policies.maglev',
              typed_config: {
                '@type': 'type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev',
                table_size: 7,
                consistent_hashing_lb_config: { hash_balance_factor: 150 },
              },
            },
          },
        ],
      },
    },
  )
  const read = fromEnvoyCluster(json)
  expect(table(json)).toBe('2 4 0 1 5 0 3')
  expect(read.pool.boundedLoad).toBe(1.5)
  expect(read.ignored).toEqual(['maglev_lb_config'])
})

test('everything that has a meaning here is read, and the rest is listed', () => {
  const read = fromEnvoyCluster({
    name: 'users',
    type: 'STRICT_DNS',
    connectTimeout: '1s',
    lb_policy: 5,
    common_lb_config: { healthy_panic_threshold: { value: 30 }, update_merge_window: '1s' },
    outlier_detection: { consecutive_5xx: 3, baseEjectionTime: '1.5s', enforcing_success_rate: 0 },
    health_checks: [
      {
        interval: '2s',
        timeout: '0.5s',
        healthy_threshold: 1,
        unhealthy_threshold: 2,
        http_health_check: {
          path: '/healthz',
          expected_statuses: [{ start: 200, end: 203 }],
          codec_client_type: 'HTTP2',
        },
      },
    ],
    load_assignment: {
      policy: { overprovisioning_factor: 200 },
      endpoints: [
        {
          locality: { region: 'eu', zone: 'eu/1', sub_zone: 'r%7' },
          priority: 1,
          lb_endpoints: [host('2001:DB8::0001', 80, { health_status: 'DRAINING', load_balancing_weight: 3 })],
        },
      ],
    },
    ['__proto__']: { polluted: true },
  })
  expect(read).toMatchObject({
    name: 'users',
    backends: [
      { id: '[2001:db8::1]:80', weight: 3, health: 'draining', zone: 'eu/eu%2F1/r%257', priority: 1 },
    ],
    options: { mode: 'envoy' },
    pool: {
      panicThreshold: 0.3,
      overProvisioning: 2,
      outlier: {
        alwaysEjectOneHost: false,
        consecutive5xx: 3,
        baseEjectionTime: '1.5s',
        enforcingSuccessRate: 0,
      },
      active: {
        type: 'http',
        interval: '2s',
        timeout: '0.5s',
        jitter: 0,
        healthyThreshold: 1,
        unhealthyThreshold: 2,
        path: '/healthz',
        statuses: [200, 201, 202],
      },
    },
  })
  expect(read.ignored).toEqual([
    'type',
    'connectTimeout',
    '__proto__',
    'common_lb_config.update_merge_window',
    'health_checks[0].http_health_check.codec_client_type',
  ])
})

test('what is read makes a pool, with a table for each priority', async () => {
  const json = cluster([], {
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    outlier_detection: {},
    load_assignment: {
      endpoints: [
        { lb_endpoints: [host('127.0.0.1', 90, { health_status: 'UNHEALTHY' })] },
        { priority: 1, lb_endpoints: [host('127.0.0.1', 91)] },
      ],
    },
  })
  const { backends, options, pool: poolOptions } = fromEnvoyCluster(json)
  await using pool = createPool(new Maglev(backends, options), poolOptions)
  await pool.settled()
  expect(pool.stats().levels.map(({ priority }) => priority)).toEqual([0, 1])
})

const unusable: [string, object, string][] = [
  ['lb_policy', cluster([], { lb_policy: 'RING_HASH' }), 'UNSUPPORTED_CLUSTER'],
  ['lb_policy', cluster([], { lb_policy: 'NO_SUCH' }), 'INVALID_CLUSTER'],
  ['lb_subset_config', cluster([], { lb_subset_config: {} }), 'UNSUPPORTED_CLUSTER'],
  ['load_balancing_policy', cluster([], { load_balancing_policy: { policies: [] } }), 'UNSUPPORTED_CLUSTER'],
  [
    'zone_aware_lb_config',
    cluster([], { common_lb_config: { zone_aware_lb_config: {} } }),
    'UNSUPPORTED_CLUSTER',
  ],
  ['load_assignment', { name: 'x', lb_policy: 'MAGLEV' }, 'UNSUPPORTED_CLUSTER'],
  ['table_size', cluster([], { maglev_lb_config: { table_size: 5_000_012 } }), 'INVALID_CLUSTER'],
  ['table_size', cluster([], { maglev_lb_config: { table_size: 'many' } }), 'INVALID_CLUSTER'],
  ['lbPolicy', cluster([], { lbPolicy: 'MAGLEV' }), 'INVALID_CLUSTER'],
  ['load_assignment.endpoints', cluster([], { load_assignment: { endpoints: {} } }), 'INVALID_CLUSTER'],
  ['lb_endpoints[0]', cluster([null]), 'INVALID_CLUSTER'],
  ['lb_endpoints[0]', cluster([{ endpoint_name: 'x' }]), 'UNSUPPORTED_CLUSTER'],
  ['lb_endpoints[0]', cluster([{ endpoint: { address: { pipe: { path: '/x' } } } }]), 'UNSUPPORTED_CLUSTER'],
  ['example.com', cluster([host('example.com', 80)]), 'UNSUPPORTED_CLUSTER'],
  ['load_balancing_weight', cluster([host('10.0.0.1', 80, { load_balancing_weight: 0 })]), 'INVALID_CLUSTER'],
  ['health_status', cluster([host('10.0.0.1', 80, { health_status: 'WELL' })]), 'INVALID_CLUSTER'],
  ['lb_endpoints[1]', cluster([host('10.0.0.1', 80), host('10.0.0.1', 80)]), 'DUPLICATE_BACKEND'],
  [
    'hash_balance_factor',
    cluster([], { common_lb_config: { consistent_hashing_lb_config: { hash_balance_factor: 50 } } }),
    'INVALID_CLUSTER',
  ],
]

test.each(unusable)('a wrong %s is refused by name', (name, json, code) => {
  expect(() => fromEnvoyCluster(json)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(name) }),
  )
})

test.each([[undefined], [null], ['MAGLEV'], [[]], [7n]])('%s is no cluster', (json) => {
  expect(() => fromEnvoyCluster(json)).toThrow(expect.objectContaining({ code: 'INVALID_CLUSTER' }))
})

test('a cyclic value neither hangs nor crashes', () => {
  const cyclic: Record<string, unknown> = cluster([])
  cyclic['self'] = cyclic
  expect(fromEnvoyCluster(cyclic).ignored).toEqual(['self'])
})

const hosts = uniqueArray(
  record({
    address: constantFrom('10.0.0.1', '10.0.0.2', '[2001:db8::1]'),
    port: integer({ min: 1, max: 65_535 }),
    named: option(constantFrom('a', 'b', 'ü', '__proto__', '10.0.0.1:80')),
    weight: integer({ min: 1, max: 2 ** 20 }),
    health: constantFrom('healthy', 'unhealthy', 'draining'),
    zone: constantFrom('', 'a', 'b', 'eu/1/x', 'r/a%2Fb/'),
    priority: integer({ min: 0, max: 2 }),
  }),
  { selector: ({ address, port, named }) => named ?? `${address}:${port}`, maxLength: 12 },
)

test('what is written is read again, and has the same table', () => {
  assert(
    property(hosts, array(integer({ min: 0, max: 9 }), { minLength: 5, maxLength: 5 }), (list, weights) => {
      const zones = Object.fromEntries(
        ['', 'a', 'b', 'eu/1/x', 'r/a%2Fb/'].map((zone, index) => [zone, weights[index] ?? 0]),
      )
      const backends = list.map(({ address, port, named, zone, ...rest }) => {
        const at = `${address}:${port}`
        return {
          ...rest,
          id: named ?? at,
          ...(zone && { zone }),
          ...(named && named !== at && { address: at }),
        }
      })
      const options = { mode: 'envoy', tableSize: 251, zones } as const
      const pool = {
        panicThreshold: 0.25,
        overProvisioning: 1.15,
        boundedLoad: 1.15,
        outlier: { interval: '5s' },
      }
      const read = fromEnvoyCluster(
        JSON.parse(JSON.stringify(toEnvoyCluster({ name: 'n', backends, options, pool }))),
      )
      expect(
        new Map(read.backends.map((backend) => [backend.id, new Maglev([backend]).backends[0]])),
      ).toEqual(new Map(new Maglev(backends).backends.map((backend) => [backend.id, backend])))
      expect(read.pool).toEqual({ ...pool, outlier: { interval: '5s', alwaysEjectOneHost: true } })
      expect(read.ignored).toEqual(['type'])
      expect(new Maglev(read.backends, read.options).fingerprint).toBe(
        new Maglev(backends, options).fingerprint,
      )
    }),
  )
})

test.each<[string, object]>([
  ['mode', { options: { mode: 'stable' } }],
  ['address', { backends: ['somewhere'] }],
  ['example.com', { backends: ['example.com:80'] }],
  ['weight', { backends: [{ id: '10.0.0.1:80', weight: 0 }] }],
  ['weight', { backends: [{ id: '10.0.0.1:80', weight: 1.5 }] }],
  ['zone', { backends: [{ id: '10.0.0.1:80', zone: 'a' }], options: { mode: 'envoy', zones: { a: 0.5 } } }],
  ['pool.active', { pool: { active: { probe: () => {} } } }],
  ['pool.boundedLoad', { pool: { boundedLoad: 1.255 } }],
])('a wrong %s cannot be written', (name, fields) => {
  let thrown: unknown
  try {
    toEnvoyCluster({ name: 'n', backends: [], options: { mode: 'envoy' }, ...fields })
  } catch (error) {
    thrown = error
  }
  expect(isMaglevError(thrown) && thrown.code).toBe('UNSUPPORTED_CLUSTER')
  expect(String(thrown)).toContain(name)
})
