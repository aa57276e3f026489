import { multiplyHigh, type Word64 } from './word64.ts'

// The primes of XXH64 as int32 halves, low and high.
const p1l = 0x85ebca87 | 0
const p1h = 0x9e3779b1 | 0
const p2l = 0x27d4eb4f | 0
const p2h = 0xc2b2ae3d | 0
const p3l = 0x9e3779f9 | 0
const p3h = 0x165667b1 | 0
const p4l = 0xc2b2ae63 | 0
const p4h = 0x85ebca77 | 0
const p5l = 0x165667c5 | 0
const p5h = 0x27d4eb2f | 0

// Four lanes, and after them the hash that they converge to; low and high halves as int32.
const state: Int32Array = new Int32Array(10)
const hash = 8

/**
 * XXH64 of the first `length` bytes into `out`, the seed given as two 32-bit halves. Source: xxHash specification 0.1.1, XXH64
 * (Yann Collet).
 */
export function xxh64(bytes: DataView, length: number, seedLow: number, seedHigh: number, out: Word64): void {
  let at = 0
  if (length >= 32) {
    set(0, seedLow, seedHigh)
    add(0, p1l, p1h)
    add(0, p2l, p2h)
    set(2, seedLow, seedHigh)
    add(2, p2l, p2h)
    set(4, seedLow, seedHigh)
    set(6, seedLow, seedHigh)
    add(6, -p1l, ~p1h)
    for (const last = length - 32; at <= last; at += 32) {
      round(0, bytes.getInt32(at, true), bytes.getInt32(at + 4, true))
      round(2, bytes.getInt32(at + 8, true), bytes.getInt32(at + 12, true))
      round(4, bytes.getInt32(at + 16, true), bytes.getInt32(at + 20, true))
      round(6, bytes.getInt32(at + 24, true), bytes.getInt32(at + 28, true))
    }
    converge()
  } else {
    set(hash, seedLow, seedHigh)
    add(hash, p5l, p5h)
  }
  add(hash, length | 0, 0)
  absorbTail(bytes, at, length)
  avalanche(out)
}

function converge(): void {
  set(hash, 0, 0)
  addRotated(0, 1)
  addRotated(2, 7)
  addRotated(4, 12)
  addRotated(6, 18)
  for (let lane = 0; lane < 8; lane += 2) {
    const low = state[lane] ?? 0
    const high = state[lane + 1] ?? 0
    set(lane, 0, 0)
    round(lane, low, high)
    exclusiveOr(state[lane] ?? 0, state[lane + 1] ?? 0)
    multiply(hash, p1l, p1h)
    add(hash, p4l, p4h)
  }
}

function absorbTail(bytes: DataView, from: number, length: number): void {
  let at = from
  for (; at + 8 <= length; at += 8) {
    set(0, 0, 0)
    round(0, bytes.getInt32(at, true), bytes.getInt32(at + 4, true))
    exclusiveOr(state[0] ?? 0, state[1] ?? 0)
    rotate(hash, 27)
    multiply(hash, p1l, p1h)
    add(hash, p4l, p4h)
  }
  if (at + 4 <= length) {
    set(0, bytes.getInt32(at, true), 0)
    multiply(0, p1l, p1h)
    exclusiveOr(state[0] ?? 0, state[1] ?? 0)
    rotate(hash, 23)
    multiply(hash, p2l, p2h)
    add(hash, p3l, p3h)
    at += 4
  }
  for (; at < length; at++) {
    set(0, bytes.getUint8(at), 0)
    multiply(0, p5l, p5h)
    exclusiveOr(state[0] ?? 0, state[1] ?? 0)
    rotate(hash, 11)
    multiply(hash, p1l, p1h)
  }
}

function avalanche(out: Word64): void {
  exclusiveOr((state[hash + 1] ?? 0) >>> 1, 0) // h ^= h >>> 33
  multiply(hash, p2l, p2h)
  const low = state[hash] ?? 0
  const high = state[hash + 1] ?? 0
  exclusiveOr((low >>> 29) | (high << 3), high >>> 29)
  multiply(hash, p3l, p3h)
  const folded = state[hash + 1] ?? 0
  out[0] = (state[hash] ?? 0) ^ folded // h ^= h >>> 32
  out[1] = folded
}

function round(lane: number, low: number, high: number): void {
  const productLow = Math.imul(low, p2l)
  const productHigh = (multiplyHigh(low, p2l) + Math.imul(low, p2h) + Math.imul(high, p2l)) | 0
  add(lane, productLow, productHigh)
  rotate(lane, 31)
  multiply(lane, p1l, p1h)
}

function set(at: number, low: number, high: number): void {
  state[at] = low
  state[at + 1] = high
}

function add(at: number, low: number, high: number): void {
  const sum = ((state[at] ?? 0) >>> 0) + (low >>> 0)
  state[at] = sum
  state[at + 1] = (state[at + 1] ?? 0) + high + (sum > 0xffffffff ? 1 : 0)
}

function addRotated(lane: number, bits: number): void {
  const low = state[lane] ?? 0
  const high = state[lane + 1] ?? 0
  add(hash, (low << bits) | (high >>> (32 - bits)), (high << bits) | (low >>> (32 - bits)))
}

/** By 1 to 31 bits to the left. */
function rotate(at: number, bits: number): void {
  const low = state[at] ?? 0
  const high = state[at + 1] ?? 0
  state[at] = (low << bits) | (high >>> (32 - bits))
  state[at + 1] = (high << bits) | (low >>> (32 - bits))
}

function multiply(at: number, low: number, high: number): void {
  const x = state[at] ?? 0
  const y = state[at + 1] ?? 0
  state[at] = Math.imul(x, low)
  state[at + 1] = multiplyHigh(x, low) + Math.imul(x, high) + Math.imul(y, low)
}

function exclusiveOr(low: number, high: number): void {
  state[hash] = (state[hash] ?? 0) ^ low
  state[hash + 1] = (state[hash + 1] ?? 0) ^ high
}
