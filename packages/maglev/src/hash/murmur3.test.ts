import { expect, test } from 'vitest'
import { murmur3 } from './murmur3.ts'
import { viewOf } from './utf8.ts'
import { toBigint, word64 } from './word64.ts'

function both(bytes: Uint8Array, seed: number): [bigint, bigint] {
  const first = word64()
  const second = word64()
  murmur3(viewOf(bytes), bytes.length, seed, first, second)
  return [toBigint(first), toBigint(second)]
}

// Computed by smhasher's MurmurHash3_x64_128, as quoted in the tests of many ports.
test.each([
  ['', 0, 0n, 0n],
  ['hello', 0, 0xcbd8a7b341bd9b02n, 0x5b1e906a48ae1d19n],
  ['The quick brown fox jumps over the lazy dog', 0, 0xe34bbc7bbc071b6cn, 0x7a433ca9c49a9347n],
])('MurmurHash3_x64_128 of %j with seed %i', (text, seed, first, second) => {
  expect(both(Buffer.from(text), seed)).toEqual([first, second])
})

// smhasher's own verification: hashes of 0, 0 1, 0 1 2, … with seeds 256, 255, …, hashed together.
test('the verification value of smhasher is 0x6384BA69', () => {
  const hashes = new DataView(new ArrayBuffer(256 * 16))
  const input = Uint8Array.from({ length: 256 }, (_, i) => i)
  for (let length = 0; length < 256; length++) {
    const [first, second] = both(input.subarray(0, length), 256 - length)
    hashes.setBigUint64(length * 16, first, true)
    hashes.setBigUint64(length * 16 + 8, second, true)
  }
  const [first] = both(new Uint8Array(hashes.buffer), 0)
  expect(first & 0xffffffffn).toBe(0x6384ba69n)
})
