import { expect, test } from 'vitest'
import type { Backend } from './backend.ts'
import { Maglev } from './maglev.ts'
import type { MaglevOptions } from './options.ts'

function build(backends: readonly unknown[], options: MaglevOptions = {}): Maglev {
  return new Maglev(backends as Backend[], { tableSize: 1009, ...options })
}

test.each<[string, unknown[], MaglevOptions, string]>([
  ['a duplicate id', ['a', 'b', 'a'], {}, 'DUPLICATE_BACKEND'],
  ['an id that is no string', [{ id: 7 }], {}, 'INVALID_BACKEND'],
  ['null', [null], {}, 'INVALID_BACKEND'],
  ['a lone surrogate', ['\ud83d'], {}, 'INVALID_BACKEND'],
  ['an id above 65,536 bytes', ['é'.repeat(32_769)], {}, 'INVALID_BACKEND'],
  ['a weight of NaN', [{ id: 'a', weight: Number.NaN }], {}, 'INVALID_WEIGHT'],
  ['a weight of -1', [{ id: 'a', weight: -1 }], {}, 'INVALID_WEIGHT'],
  ['an infinite weight', [{ id: 'a', weight: Number.POSITIVE_INFINITY }], {}, 'INVALID_WEIGHT'],
  ['a weight as text', [{ id: 'a', weight: '2' }], {}, 'INVALID_WEIGHT'],
  ['weights above 2^32 - 1 in all', [{ id: 'a', weight: 2 ** 32 - 1 }, 'b'], {}, 'INVALID_WEIGHT'],
  ['a fraction in Cilium', [{ id: 'a', weight: 1.5 }], { mode: 'cilium', tableSize: 251 }, 'INVALID_WEIGHT'],
  ['a weight in go-maglev', [{ id: 'a', weight: 2 }], { mode: 'go-maglev' }, 'INVALID_WEIGHT'],
  ['no hash in Katran', ['a'], { mode: 'katran-v2' }, 'INVALID_BACKEND'],
  ['a hash elsewhere', [{ id: 'a', hash: 1n }], {}, 'INVALID_BACKEND'],
  ['a hash of 2^64', [{ id: 'a', hash: 2n ** 64n }], { mode: 'katran-v1' }, 'INVALID_BACKEND'],
  ['a zone without a weight', [{ id: 'a', zone: 'x' }], { zones: { y: 1 } }, 'INVALID_BACKEND'],
  ['no zone where zones weigh', ['a'], { zones: { y: 1 } }, 'INVALID_BACKEND'],
  ['an unknown health', [{ id: 'a', health: 'fine' }], {}, 'INVALID_BACKEND'],
  ['more backends than slots', ['a', 'b', 'c', 'd'], { tableSize: 3 }, 'TABLE_TOO_SMALL'],
])('%s is refused', (_, backends, options, code) => {
  expect(() => build(backends, options)).toThrow(expect.objectContaining({ code }))
})

test('ids of any other kind work', () => {
  const ids = ['__proto__', 'constructor', '', '\0', '\u{1f600}', '\ufffd', 'x'.repeat(65_536)]
  const lb = build(ids)
  expect(new Set(lb.owners())).toEqual(new Set(ids.keys()))
  expect(lb.backends.map(({ id }) => id)).toEqual(ids)
  for (const id of ids) lb.setHealth(id, 'unhealthy')
  expect(lb.lookup('key')).toBeUndefined()
  lb.setHealth('__proto__', 'healthy')
  expect(lb.lookup('key')).toBe('__proto__')
  lb.setWeight('__proto__', 3)
  expect(lb.backends[0]).toMatchObject({ id: '__proto__', weight: 3 })
})

test('more backends than slots are accepted where some may own none', () => {
  const lb = build(['a', 'b', 'c', 'd'], { tableSize: 3, allowStarved: true })
  expect(new Set(lb.owners()).size).toBe(3)
  const weighted = build([{ id: 'a', weight: 9 }, 'b', 'c', 'd'], { tableSize: 3, allowStarved: true })
  expect(weighted.owners()).not.toContain(-1)
})
