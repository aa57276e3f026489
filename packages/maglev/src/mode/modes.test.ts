import { expect, test } from 'vitest'
import type { Backend } from '../backend.ts'
import { Maglev } from '../maglev.ts'
import type { MaglevOptions } from '../options.ts'

function owners(backends: readonly (string | Backend)[], options: MaglevOptions): string {
  return new Maglev(backends, options).owners().join(' ')
}

function counts(backends: readonly (string | Backend)[], options: MaglevOptions): number[] {
  const found = backends.map(() => 0)
  for (const owner of new Maglev(backends, options).owners()) found[owner] = (found[owner] ?? 0) + 1
  return found
}

// envoyproxy/envoy, test/extensions/load_balancing_policies/maglev/maglev_lb_test.cc.
const hosts = [90, 91, 92, 93, 94, 95].map((port) => `127.0.0.1:${port}`)

test('Envoy: six hosts, by address and by hostname', () => {
  expect(owners(hosts, { mode: 'envoy', tableSize: 7 })).toBe('2 4 0 1 5 0 3')
  expect(owners(['90', '91', '92', '93', '94', '95'], { mode: 'envoy', tableSize: 7 })).toBe('2 5 0 3 4 1 0')
})

test('Envoy: weights', () => {
  const backends = ['127.0.0.1:90', { id: '127.0.0.1:91', weight: 2 }]
  expect(owners(backends, { mode: 'envoy', tableSize: 17 })).toBe('1 0 0 1 0 1 1 0 1 1 1 1 1 0 1 0 1')
})

test('Envoy: zones', () => {
  const two = [
    { id: '127.0.0.1:90', zone: 'a' },
    { id: '127.0.0.1:91', weight: 2, zone: 'b' },
  ]
  const three = [...two, { id: '127.0.0.1:92', zone: 'c' }]
  expect(owners(two, { mode: 'envoy', tableSize: 17, zones: { a: 1, b: 1 } })).toBe(
    '1 0 0 1 0 1 1 0 0 1 0 1 0 0 1 0 1',
  )
  expect(owners(three, { mode: 'envoy', tableSize: 17, zones: { a: 8, b: 2, c: 0 } })).toBe(
    '1 0 0 0 0 0 1 0 0 1 0 1 0 0 0 0 0',
  )
  expect(owners(two, { mode: 'envoy', tableSize: 5, zones: { a: 0, b: 0 } })).toBe('-1 -1 -1 -1 -1')
})

test('Envoy: one host of a heavy zone beside 1,023 of a light one', () => {
  const backends = Array.from({ length: 1024 }, (_, i) =>
    i === 0 ? { id: '127.0.0.1:90', zone: 'a', weight: 127 } : { id: `127.0.0.1:${i + 1000}`, zone: 'b' },
  )
  const [first, ...rest] = counts(backends, { mode: 'envoy', tableSize: 65_537, zones: { a: 127, b: 1 } })
  expect(new Set(rest)).toEqual(new Set([1]))
  expect(first).toBe(65_537 - 1023)
})

// The rings for hashes 1000 and 2000, and counts, of the specification.
test('Katran: both weight rules', () => {
  const two = [
    { id: 'a', hash: 1000n, weight: 2 },
    { id: 'b', hash: 2000n },
  ]
  expect(owners(two, { mode: 'katran-v1', tableSize: 7 })).toBe('1 1 0 1 0 0 0')
  expect(owners(two, { mode: 'katran-v2', tableSize: 7 })).toBe('1 0 0 1 0 0 0')
})

test('Katran: 400 of weight 327 fill the ring of 65,537 with 200, and equal ones evenly', () => {
  const heavy = Array.from({ length: 400 }, (_, i) => ({ id: `b${i}`, hash: BigInt(10 * i), weight: 327 }))
  const filled = counts(heavy, { mode: 'katran-v1', tableSize: 65_537 })
  expect(filled.filter((count) => count === 0)).toHaveLength(199)
  const even = counts(
    heavy.map((backend) => ({ ...backend, weight: 1 })),
    { mode: 'katran-v2', tableSize: 65_537 },
  )
  expect(Math.max(...even) - Math.min(...even)).toBe(1)
})

test('Katran: a skip that reaches too few slots ends with an error', () => {
  // Found by search: on a ring of 131,071 the skip of this hash is 65,536, so that its list has 65,536 entries.
  const hash = 292_989n
  const lb = () =>
    new Maglev(
      [
        { id: 'a', hash, weight: 100 },
        { id: 'b', hash: 1n },
      ],
      { mode: 'katran-v2', tableSize: 131_071 },
    )
  expect(lb).toThrow(expect.objectContaining({ code: 'UNFILLABLE_TABLE' }))
})

// cilium/cilium, pkg/maglev, TestWeightedBackendWithRemoval: the counts that its specification quotes.
test('Cilium: weights below an average of 2 do not count', () => {
  const backends = [{ id: 'a', weight: 2 }, 'b', 'c']
  const [a = 0, b = 0] = counts(backends, { mode: 'cilium', tableSize: 251 })
  expect(a - b).toBeLessThanOrEqual(1)
})

test('weight 0 owns nothing in any mode that has weights', () => {
  for (const mode of ['stable', 'classic', 'envoy', 'cilium', 'katran-v1', 'katran-v2'] as const) {
    const katran = mode.startsWith('katran')
    const backends = ['a', 'b', 'c'].map((id, i) => ({
      id,
      weight: i === 1 ? 0 : 3,
      ...(katran ? { hash: BigInt(i) } : {}),
    }))
    const [a = 0, b, c = 0] = counts(backends, { mode, tableSize: 251 })
    expect([mode, b]).toEqual([mode, 0])
    expect(a + c).toBe(251)
  }
})

test('go-maglev: sizes need not be prime, and a rebuild moves the dead alone', () => {
  const ids = Array.from({ length: 9 }, (_, i) => `node${i}`)
  const lb = new Maglev(ids, { mode: 'go-maglev', tableSize: 1000 })
  const before = lb.owners()
  lb.setHealth('node4', 'unhealthy')
  const after = lb.owners()
  expect(before).toHaveLength(1000)
  expect(after).not.toContain(4)
  expect(before.filter((owner, slot) => owner !== 4 && after[slot] !== owner)).toHaveLength(0)
})
