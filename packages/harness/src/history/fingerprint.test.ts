import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fingerprint } from './fingerprint.ts'

const value = fc.anything({
  withMap: true,
  withSet: true,
  withDate: true,
  withTypedArray: true,
  withBigInt: true,
})

test('equal values have equal fingerprints', () => {
  fc.assert(
    fc.property(value, (one) => {
      const other: unknown = structuredClone(one)
      expect(!isDeepStrictEqual(one, other) || fingerprint(one) === fingerprint(other)).toBe(true)
    }),
  )
})

test('neither the order of keys nor that of maps and sets counts, that of a list does', () => {
  const entries: [string, number][] = [
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ]
  const turned = entries.toReversed()
  for (const make of [
    Object.fromEntries,
    (list: typeof entries) => new Map(list),
    (list: typeof entries) => new Set(list),
  ]) {
    expect(isDeepStrictEqual(make(entries), make(turned))).toBe(true)
    expect(fingerprint(make(entries))).toBe(fingerprint(make(turned)))
  }
  expect(fingerprint([1, 2])).not.toBe(fingerprint([2, 1]))
})

test('the orders of a log have fingerprints of their own', () => {
  const orders = permutations([0, 1, 2, 3, 4, 5, 6])
  expect(new Set(orders.map((order) => fingerprint(order))).size).toBeGreaterThan(0.99 * orders.length)
})

test('a cycle ends, and a property named __proto__ counts', () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  expect(fingerprint(cycle)).toBe(fingerprint(cycle))
  expect(fingerprint(JSON.parse('{"__proto__":1}'))).not.toBe(fingerprint({}))
})

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((first) =>
    permutations(items.filter((item) => item !== first)).map((rest) => [first, ...rest]),
  )
}
