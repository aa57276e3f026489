const prime1 = 0x9e3779b1
const prime2 = 0x85ebca77
const prime3 = 0xc2b2ae3d
const prime4 = 0x27d4eb2f
const prime5 = 0x165667b1

/**
 * XXH32 of the first `length` bytes, as an **int32** (`>>> 0` makes it unsigned): a small integer is returned without an
 * allocation. `seed` is a uint32. Source: xxHash specification 0.1.1, XXH32 (Yann Collet).
 */
export function xxh32(bytes: DataView, length: number, seed: number): number {
  let at = 0
  let h: number
  if (length >= 16) {
    let a = (seed + prime1 + prime2) | 0
    let b = (seed + prime2) | 0
    let c = seed | 0
    let d = (seed - prime1) | 0
    for (const last = length - 16; at <= last; at += 16) {
      a = round(a, bytes.getInt32(at, true))
      b = round(b, bytes.getInt32(at + 4, true))
      c = round(c, bytes.getInt32(at + 8, true))
      d = round(d, bytes.getInt32(at + 12, true))
    }
    h = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0
  } else {
    h = (seed + prime5) | 0
  }
  h = (h + length) | 0
  for (; at + 4 <= length; at += 4) {
    h = Math.imul(rotate((h + Math.imul(bytes.getInt32(at, true), prime3)) | 0, 17), prime4)
  }
  for (; at < length; at++) {
    h = Math.imul(rotate((h + Math.imul(bytes.getUint8(at), prime5)) | 0, 11), prime1)
  }
  h = Math.imul(h ^ (h >>> 15), prime2)
  h = Math.imul(h ^ (h >>> 13), prime3)
  return h ^ (h >>> 16)
}

function round(lane: number, input: number): number {
  return Math.imul(rotate((lane + Math.imul(input, prime2)) | 0, 13), prime1)
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits))
}
