import { type Word64 } from './word64.ts'

// v0..v3 of the specification, low and high halves as int32.
const v: Int32Array = new Int32Array(8)

/**
 * SipHash-2-4 of the first `length` bytes into `out`, keyed by 128 bits: `key` holds k0 and k1 as four uint32, low halves
 * first. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012), appendix A for vectors.
 */
export function siphash24(bytes: DataView, length: number, key: Uint32Array, out: Word64): void {
  const [k0l = 0, k0h = 0, k1l = 0, k1h = 0] = [key[0], key[1], key[2], key[3]]
  v[0] = k0l ^ 0x70736575
  v[1] = k0h ^ 0x736f6d65
  v[2] = k1l ^ 0x6e646f6d
  v[3] = k1h ^ 0x646f7261
  v[4] = k0l ^ 0x6e657261
  v[5] = k0h ^ 0x6c796765
  v[6] = k1l ^ 0x79746573
  v[7] = k1h ^ 0x74656462
  let at = 0
  for (; at + 8 <= length; at += 8) absorb(bytes.getInt32(at, true), bytes.getInt32(at + 4, true))
  let low = 0
  let high = length << 24
  for (let i = 0; at + i < length; i++) {
    if (i < 4) low |= bytes.getUint8(at + i) << (i * 8)
    else high |= bytes.getUint8(at + i) << ((i - 4) * 8)
  }
  absorb(low, high)
  v[4] = (v[4] ?? 0) ^ 0xff
  for (let i = 0; i < 4; i++) sipRound()
  out[0] = (v[0] ?? 0) ^ (v[2] ?? 0) ^ (v[4] ?? 0) ^ (v[6] ?? 0)
  out[1] = (v[1] ?? 0) ^ (v[3] ?? 0) ^ (v[5] ?? 0) ^ (v[7] ?? 0)
}

function absorb(low: number, high: number): void {
  v[6] = (v[6] ?? 0) ^ low
  v[7] = (v[7] ?? 0) ^ high
  sipRound()
  sipRound()
  v[0] = (v[0] ?? 0) ^ low
  v[1] = (v[1] ?? 0) ^ high
}

function sipRound(): void {
  mix(0, 2, 13)
  swapHalves(0)
  mix(4, 6, 16)
  mix(0, 6, 21)
  mix(4, 2, 17)
  swapHalves(4)
}

/** `a += b; b = (b <<< bits) ^ a`, 1 to 31 bits. */
function mix(a: number, b: number, bits: number): void {
  const bl = v[b] ?? 0
  const bh = v[b + 1] ?? 0
  const sum = ((v[a] ?? 0) >>> 0) + (bl >>> 0)
  const low = sum | 0
  const high = ((v[a + 1] ?? 0) + bh + (sum > 0xffffffff ? 1 : 0)) | 0
  v[a] = low
  v[a + 1] = high
  v[b] = ((bl << bits) | (bh >>> (32 - bits))) ^ low
  v[b + 1] = ((bh << bits) | (bl >>> (32 - bits))) ^ high
}

/** A rotation by 32 bits. */
function swapHalves(at: number): void {
  const low = v[at] ?? 0
  v[at] = v[at + 1] ?? 0
  v[at + 1] = low
}
