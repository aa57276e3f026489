import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fingerprintSecret, type Key, KeyHash } from './key-hash.ts'

const secret = Uint8Array.from({ length: 16 }, (_, i) => i * 7)
const hashes = [
  new KeyHash('xxh32', 0n, undefined),
  new KeyHash('xxh64', 99n, undefined),
  new KeyHash('siphash', 0n, secret),
]

test('a string and its bytes agree, lone surrogates included', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (key) => {
      for (const hash of hashes)
        expect(hash.slot(key, 65_537)).toBe(hash.slot(new TextEncoder().encode(key), 65_537))
    }),
  )
  for (const hash of hashes) expect(hash.slot('\ud800', 65_537)).toBe(hash.slot('\ufffd', 65_537))
})

test('bytes are hashed where they lie in their buffer', () => {
  const buffer = Buffer.from('..key..')
  for (const hash of hashes) expect(hash.slot(buffer.subarray(2, 5), 1009)).toBe(hash.slot('key', 1009))
})

test('a number is the hash itself, and so is the same bigint', () => {
  const [xxh32, xxh64, siphash] = hashes
  fc.assert(
    fc.property(fc.maxSafeNat(), (key) => {
      expect(xxh32?.slot(key, 65_537)).toBe(key % 65_537)
      expect(xxh64?.slot(BigInt(key), 65_537)).toBe(key % 65_537)
      expect(siphash?.slot(key, 65_537)).toBe(siphash?.slot(BigInt(key), 65_537))
    }),
  )
  expect(xxh32?.slot(2n ** 64n - 1n, 5_000_011)).toBe(Number((2n ** 64n - 1n) % 5_000_011n))
})

test('under a secret a number is hashed as eight bytes', () => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(123_456_789_012n)
  const keyed = new KeyHash('siphash', 0n, secret)
  expect(keyed.slot(123_456_789_012, 65_537)).toBe(keyed.slot(bytes, 65_537))
})

test('other keys are refused', () => {
  const wrong: unknown[] = [
    Number.NaN,
    -1,
    0.5,
    2 ** 53,
    Number.POSITIVE_INFINITY,
    -1n,
    2n ** 64n,
    null,
    undefined,
    {},
    [],
    true,
  ]
  for (const key of wrong) {
    for (const hash of hashes) {
      expect(() => hash.slot(key as Key, 7)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
    }
  }
})

test('keys chosen for one backend under one secret spread under another', () => {
  const other = new KeyHash('siphash', 0n, secret.toReversed())
  const known = new KeyHash('siphash', 0n, secret)
  const chosen: string[] = []
  for (let i = 0; chosen.length < 3000; i++)
    if (known.slot(`key${i}`, 10_007) % 10 === 0) chosen.push(`key${i}`)
  const met = chosen.filter((key) => other.slot(key, 10_007) % 10 === 0).length
  // A tenth of 3,000 and four standard deviations of the binomial: this input is fixed, so this never fails by chance.
  expect(Math.abs(met - 300)).toBeLessThan(4 * Math.sqrt(3000 * 0.1 * 0.9))
})

test('fingerprints tell secrets apart', () => {
  expect(fingerprintSecret(secret)).toMatch(/^[0-9a-f]{16}$/)
  expect(fingerprintSecret(secret)).not.toBe(fingerprintSecret(secret.toReversed()))
})
