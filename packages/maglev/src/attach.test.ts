import { expect, test } from 'vitest'
import { attach } from './attach.ts'
import { Maglev } from './maglev.ts'
import type { SharedHandle } from './shared.ts'

const keys = Array.from({ length: 500 }, (_, i) => `key${i}`)

test('an attached table follows every change', () => {
  const lb = new Maglev(['a', 'b', 'c'], { shared: true, tableSize: 1009 })
  const reader = attach(structuredClone(lb.share()))
  expect(reader.tableSize).toBe(1009)
  const changes = [
    () => lb.add('d'),
    () => lb.setHealth('a', 'unhealthy'),
    () => lb.remove('b'),
    () => lb.add({ id: '\u{1f600}'.repeat(5000), weight: 9 }),
    () => lb.setHealth('a', 'healthy'),
    () => lb.update({ remove: lb.backends.map(({ id }) => id) }),
    () => lb.add(''),
  ]
  for (const [i, change] of changes.entries()) {
    expect(keys.map((key) => reader.lookup(key))).toEqual(lb.lookupMany(keys))
    expect(reader.lookupMany(keys)).toEqual(lb.lookupMany(keys))
    expect(reader.version).toBe(i + 1)
    change()
  }
  expect(reader.lookupMany(Uint32Array.of(1, 2))).toEqual(['', ''])
})

test('a table with a secret is read with the same one only', () => {
  const secret = '00112233445566778899aabbccddeeff'
  const lb = new Maglev(['a', 'b', 'c'], { shared: true, tableSize: 1009, secret })
  const handle = lb.share()
  expect(attach(handle, { secret }).lookupMany(keys)).toEqual(lb.lookupMany(keys))
  expect(
    JSON.stringify(handle, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
  ).not.toContain(secret)
  for (const given of [undefined, secret.replace('00', '01')]) {
    expect(() => attach(handle, given === undefined ? {} : { secret: given })).toThrow(
      expect.objectContaining({ code: 'SECRET_MISMATCH' }),
    )
  }
})

test('what is no handle is refused, and a table that is not shared gives none', () => {
  expect(() => attach({} as SharedHandle)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  expect(() => new Maglev(['a']).share()).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
})

test('a handle with a part of it missing or of another shape is refused', () => {
  const handle = new Maglev(['a', 'b'], { shared: true, tableSize: 1009 }).share()
  const [even, odd] = handle.owners
  const wrong: { readonly [Name in keyof SharedHandle]?: readonly unknown[] } = {
    size: [undefined, 1008, '1009'],
    hash: [undefined, 'md5'],
    keySeed: [undefined, 0],
    secretFingerprint: [7],
    control: [undefined, new Int32Array(4), new Int32Array(new SharedArrayBuffer(8))],
    owners: [undefined, [even], [even, new Uint16Array(1009)], [even, odd.subarray(1)]],
    ids: [undefined, [handle.ids[0]], [handle.ids[0], new ArrayBuffer(4)]],
  }
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      expect(() => attach({ ...handle, [name]: value })).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION' }),
      )
    }
  }
  for (const value of [null, undefined, 'handle', []]) {
    expect(() => attach(value as unknown as SharedHandle)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  }
  expect(attach({ ...handle }).lookup(1)).toMatch(/^[ab]$/)
})

test('more backends than a shared table holds are refused, and nothing changes', () => {
  const many = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `b${from + i}`)
  const lb = new Maglev(many(0, 65_534), { shared: true, tableSize: 65_537 })
  const before = lb.fingerprint
  expect(() => lb.add('one more')).toThrow(expect.objectContaining({ code: 'SHARED_TABLE_FULL' }))
  expect(lb.fingerprint).toBe(before)
  expect(attach(lb.share()).lookup(0)).toBe(lb.lookup(0))
})
