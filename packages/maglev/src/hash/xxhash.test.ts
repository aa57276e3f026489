import fc from 'fast-check'
import { expect, test } from 'vitest'
import xxhash from 'xxhash-wasm'
import { viewOf } from './utf8.ts'
import { toBigint, word64 } from './word64.ts'
import { xxh32 } from './xxh32.ts'
import { xxh64 } from './xxh64.ts'

const reference = await xxhash()
const uint32 = fc.integer({ min: 0, max: 0xffffffff })

function ours64(bytes: Uint8Array, seed: bigint): bigint {
  const out = word64()
  const [low = 0, high = 0] = word64(seed)
  xxh64(viewOf(bytes), bytes.length, low, high, out)
  return toBigint(out)
}

test('XXH64 and XXH32 of nothing are the published values', () => {
  expect(ours64(new Uint8Array(), 0n)).toBe(0xef46db3751d8e999n)
  expect(xxh32(viewOf(new Uint8Array()), 0, 0) >>> 0).toBe(0x02cc5d05)
})

test('XXH64 agrees with xxhash-wasm for any bytes and seed', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (bytes, seed) => {
        expect(ours64(bytes, seed)).toBe(reference.h64Raw(bytes, seed))
      },
    ),
    { numRuns: 2000 },
  )
})

test('XXH32 agrees with xxhash-wasm for any bytes and seed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), uint32, (bytes, seed) => {
      expect(xxh32(viewOf(bytes), bytes.length, seed) >>> 0).toBe(reference.h32Raw(bytes, seed))
    }),
    { numRuns: 2000 },
  )
})
