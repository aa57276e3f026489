/**
 * A 64-bit word as two uint32, `[low, high]`. The hashes of this folder write their result into one, so that no bigint and no
 * object is made for a key.
 */
export type Word64 = Uint32Array

export function word64(value: bigint = 0n): Word64 {
  return Uint32Array.of(Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn))
}

export function toBigint(word: Word64): bigint {
  return (BigInt(word[1] ?? 0) << 32n) | BigInt(word[0] ?? 0)
}

/** High 32 bits of the product of two uint32, as an int32. */
export function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff
  const a1 = a >>> 16
  const b0 = b & 0xffff
  const b1 = b >>> 16
  const middle = (Math.imul(a1, b0) + (Math.imul(a0, b0) >>> 16)) >>> 0
  const carry = (Math.imul(a0, b1) + (middle & 0xffff)) >>> 0
  return (Math.imul(a1, b1) + (middle >>> 16) + (carry >>> 16)) | 0
}

/** `word mod modulus` for a modulus of up to 2^24: exact, since no step passes 2^53. */
export function modulo(word: Word64, modulus: number): number {
  // `>>> 0` tells V8 that these are integers: its floating-point remainder takes ten times as long.
  const divisor = modulus >>> 0
  const low = (word[0] ?? 0) >>> 0
  const high = (word[1] ?? 0) >>> 0
  if (high === 0) return low % divisor
  const sum = (high % divisor) * (0xffffffff % divisor) + (high % divisor) + (low % divisor)
  return (sum - Math.floor(sum / divisor) * divisor) | 0
}
