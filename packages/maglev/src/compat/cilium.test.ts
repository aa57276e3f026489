import { expect, test } from 'vitest'
import { Maglev } from '../maglev.ts'
import {
  type CiliumBackend,
  ciliumId,
  fromCiliumBackends,
  fromCiliumFlags,
  toCiliumBackends,
  toCiliumFlags,
} from './cilium.ts'

test('ids are the strings that Cilium hashes', () => {
  expect(ciliumId({ ip: '10.0.0.1', port: 80 })).toBe('[10.0.0.1:80/TCP,State:active]')
  expect(ciliumId({ ip: '10.0.0.1', port: 53, protocol: 'UDP', state: 'terminating' })).toBe(
    '[10.0.0.1:53/UDP,State:active]',
  )
  expect(ciliumId({ ip: '2001:DB8:0::1', port: 80 })).toBe('[[2001:db8::1]:80/TCP,State:active]')
  expect(ciliumId({ ip: '10.0.0.1', port: 80, scope: 'internal' })).toBe('[10.0.0.1:80/TCP/i,State:active]')
})

test("the table has the counts of Cilium's own test of weights, before and after a removal", () => {
  // pkg/maglev/maglev_test.go, TestWeightedBackendWithRemoval: M = 1021.
  const weights = [2, 13, 111, 10]
  const backends: CiliumBackend[] = weights.map((weight, index) => ({
    ip: ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4'][index] ?? '',
    port: 80,
    weight,
  }))
  const lb = new Maglev(fromCiliumBackends(backends), {
    ...fromCiliumFlags(['--bpf-lb-maglev-table-size=1021']),
  })
  const counts = (): number[] =>
    weights.map((_, index) => lb.owners().filter((owner) => owner === index).length)
  expect(counts()).toEqual([16, 98, 832, 75])
})

test('only active backends are in the table', () => {
  const backends: CiliumBackend[] = [
    { ip: '10.0.0.1', port: 80 },
    { ip: '10.0.0.2', port: 80, state: 'quarantined' },
    { ip: '10.0.0.3', port: 80, state: 'terminating' },
    { ip: '10.0.0.4', port: 80, state: 'maintenance' },
  ]
  const lb = new Maglev(fromCiliumBackends(backends), { mode: 'cilium', tableSize: 251 })
  expect(new Set(lb.owners())).toEqual(new Set([0]))
  expect(lb.backends.map(({ health }) => health)).toEqual(['healthy', 'unhealthy', 'draining', 'disabled'])
})

test('there and back again', () => {
  const backends: CiliumBackend[] = [
    { ip: '10.0.0.1', port: 80, protocol: 'TCP', weight: 7 },
    { ip: '2001:db8::2', port: 53, protocol: 'UDP', scope: 'internal', state: 'quarantined' },
    { ip: '10.0.0.3', port: 1, protocol: 'SCTP', state: 'terminating' },
  ]
  expect(toCiliumBackends(fromCiliumBackends(backends))).toEqual(backends)
  const flags = { tableSize: 65_521, seed: 'AAAAAAAAAAAAAAAA' }
  expect(fromCiliumFlags(toCiliumFlags(flags))).toEqual({ mode: 'cilium', ...flags })
})

test('flags are read from arguments and from a ConfigMap', () => {
  const expected = { mode: 'cilium', tableSize: 4093, seed: 'AAAAAAAAAAAAAAAA' }
  const args = ['--debug', '--bpf-lb-maglev-table-size', '4093', '--bpf-lb-maglev-hash-seed=AAAAAAAAAAAAAAAA']
  expect(fromCiliumFlags(args)).toEqual(expected)
  expect(
    fromCiliumFlags({
      'bpf-lb-maglev-table-size': '4093',
      'bpf-lb-maglev-hash-seed': 'AAAAAAAAAAAAAAAA',
      debug: 'true',
    }),
  ).toEqual(expected)
  expect(fromCiliumFlags([])).toEqual({ mode: 'cilium' })
})

test.each<[string, () => unknown, string]>([
  ['ip', () => ciliumId({ ip: 'example.com', port: 80 }), 'INVALID_BACKEND'],
  ['port', () => ciliumId({ ip: '10.0.0.1', port: 65_536 }), 'INVALID_BACKEND'],
  ['protocol', () => ciliumId({ ip: '10.0.0.1', port: 1, protocol: 'tcp' as 'TCP' }), 'INVALID_BACKEND'],
  [
    'state',
    () => fromCiliumBackends([{ ip: '10.0.0.1', port: 1, state: 'up' as 'active' }]),
    'INVALID_BACKEND',
  ],
  ['id', () => toCiliumBackends([{ id: '10.0.0.1:80' }]), 'INVALID_BACKEND'],
  ['id', () => toCiliumBackends([{ id: '[[2001:db8:0::1]:80/TCP,State:active]' }]), 'INVALID_BACKEND'],
  ['table-size', () => fromCiliumFlags(['--bpf-lb-maglev-table-size=many']), 'INVALID_OPTION'],
  ['table-size', () => fromCiliumFlags(['--bpf-lb-maglev-table-size']), 'INVALID_OPTION'],
  [
    'hash-seed',
    () => fromCiliumFlags(['--bpf-lb-maglev-hash-seed=a', '--bpf-lb-maglev-hash-seed=b']),
    'INVALID_OPTION',
  ],
])('a wrong %s is refused by name', (name, wrong, code) => {
  expect(wrong).toThrow(expect.objectContaining({ code, message: expect.stringContaining(name) }))
})
