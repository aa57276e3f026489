import { multiplyHigh, type Word64, word64 } from './word64.ts'

// c1 and c2 of MurmurHash3_x64_128 as int32 halves.
const c1l = 0x114253d5 | 0
const c1h = 0x87c37b91 | 0
const c2l = 0x2745937f | 0
const c2h = 0x4cf5ad43 | 0

const h1: Word64 = word64()
const h2: Word64 = word64()
const k: Word64 = word64()

/**
 * MurmurHash3_x64_128 of the first `length` bytes into `first` and `second`; `seed` is a uint32. Source: MurmurHash3.cpp of
 * smhasher (Austin Appleby, public domain).
 */
export function murmur3(bytes: DataView, length: number, seed: number, first: Word64, second: Word64): void {
  set(h1, seed, 0)
  set(h2, seed, 0)
  let at = 0
  for (; at + 16 <= length; at += 16) {
    set(k, bytes.getInt32(at, true), bytes.getInt32(at + 4, true))
    absorbFirst()
    rotate(h1, 27)
    add(h1, h2)
    timesFivePlus(h1, 0x52dce729)
    set(k, bytes.getInt32(at + 8, true), bytes.getInt32(at + 12, true))
    absorbSecond()
    rotate(h2, 31)
    add(h2, h1)
    timesFivePlus(h2, 0x38495ab5)
  }
  if (length - at > 8) {
    readTail(bytes, at + 8, length)
    absorbSecond()
  }
  if (length > at) {
    readTail(bytes, at, Math.min(length, at + 8))
    absorbFirst()
  }
  h1[0] = (h1[0] ?? 0) ^ length
  h2[0] = (h2[0] ?? 0) ^ length
  add(h1, h2)
  add(h2, h1)
  finalMix(h1)
  finalMix(h2)
  add(h1, h2)
  add(h2, h1)
  set(first, h1[0] ?? 0, h1[1] ?? 0)
  set(second, h2[0] ?? 0, h2[1] ?? 0)
}

function absorbFirst(): void {
  multiply(k, c1l, c1h)
  rotate(k, 31)
  multiply(k, c2l, c2h)
  exclusiveOr(h1, k)
}

function absorbSecond(): void {
  multiply(k, c2l, c2h)
  rotate(k, 33)
  multiply(k, c1l, c1h)
  exclusiveOr(h2, k)
}

function readTail(bytes: DataView, from: number, to: number): void {
  set(k, 0, 0)
  for (let i = 0; from + i < to; i++) {
    const half = i >> 2
    k[half] = (k[half] ?? 0) | (bytes.getUint8(from + i) << ((i & 3) * 8))
  }
}

function finalMix(word: Word64): void {
  word[0] = (word[0] ?? 0) ^ ((word[1] ?? 0) >>> 1) // word ^= word >>> 33
  multiply(word, 0xed558ccd, 0xff51afd7)
  word[0] = (word[0] ?? 0) ^ ((word[1] ?? 0) >>> 1)
  multiply(word, 0x1a85ec53, 0xc4ceb9fe)
  word[0] = (word[0] ?? 0) ^ ((word[1] ?? 0) >>> 1)
}

function set(word: Word64, low: number, high: number): void {
  word[0] = low
  word[1] = high
}

function add(word: Word64, other: Word64): void {
  const low = (word[0] ?? 0) + (other[0] ?? 0)
  word[1] = (word[1] ?? 0) + (other[1] ?? 0) + (low > 0xffffffff ? 1 : 0)
  word[0] = low
}

function timesFivePlus(word: Word64, addend: number): void {
  multiply(word, 5, 0)
  const low = (word[0] ?? 0) + addend
  word[1] = (word[1] ?? 0) + (low > 0xffffffff ? 1 : 0)
  word[0] = low
}

function multiply(word: Word64, low: number, high: number): void {
  const x = word[0] ?? 0
  const y = word[1] ?? 0
  word[0] = Math.imul(x, low)
  word[1] = multiplyHigh(x, low) + Math.imul(x, high) + Math.imul(y, low)
}

/** To the left. */
function rotate(word: Word64, bits: number): void {
  const swapped = bits >= 32
  const low = (swapped ? word[1] : word[0]) ?? 0
  const high = (swapped ? word[0] : word[1]) ?? 0
  const rest = bits & 31
  word[0] = (low << rest) | (high >>> (32 - rest))
  word[1] = (high << rest) | (low >>> (32 - rest))
}

function exclusiveOr(word: Word64, other: Word64): void {
  word[0] = (word[0] ?? 0) ^ (other[0] ?? 0)
  word[1] = (word[1] ?? 0) ^ (other[1] ?? 0)
}
