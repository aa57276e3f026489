import fc from 'fast-check'
import { expect, test } from 'vitest'
import { modulo, multiplyHigh, toBigint, word64 } from './word64.ts'

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })

test('a word holds a uint64', () => {
  fc.assert(
    fc.property(uint64, (value) => {
      expect(toBigint(word64(value))).toBe(value)
    }),
  )
})

test('the remainder is exact for every table size', () => {
  fc.assert(
    fc.property(uint64, fc.integer({ min: 1, max: 2 ** 24 }), (value, modulus) => {
      expect(modulo(word64(value), modulus)).toBe(Number(value % BigInt(modulus)))
    }),
    { numRuns: 5000 },
  )
  expect(modulo(word64(2n ** 64n - 1n), 5_000_011)).toBe(Number((2n ** 64n - 1n) % 5_000_011n))
})

test('the high half of a product is exact', () => {
  const uint32 = fc.integer({ min: 0, max: 0xffffffff })
  fc.assert(
    fc.property(uint32, uint32, (a, b) => {
      expect(multiplyHigh(a, b) >>> 0).toBe(Number((BigInt(a) * BigInt(b)) >> 32n))
    }),
    { numRuns: 5000 },
  )
})
