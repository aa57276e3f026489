import { expect, test } from 'vitest'
import { siphash24 } from './siphash.ts'
import { viewOf } from './utf8.ts'
import { toBigint, word64 } from './word64.ts'

// Key 00 01 … 0f; input 00 01 … of each length: vectors_sip64 of the authors' reference implementation, and for 15 bytes
// appendix A of the paper.
test.each([
  [0, 0x726fdb47dd0e0e31n],
  [1, 0x74f839c593dc67fdn],
  [2, 0x0d6c8009d9a94f5an],
  [7, 0xab0200f58b01d137n],
  [8, 0x93f5f5799a932462n],
  [15, 0xa129ca6149be45e5n],
])('SipHash-2-4 of %i bytes is the published one', (length, expected) => {
  const key = Uint32Array.of(0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c)
  const input = Uint8Array.from({ length }, (_, i) => i)
  const out = word64()
  siphash24(viewOf(input), length, key, out)
  expect(toBigint(out)).toBe(expected)
})
