import xxhash from 'xxhash-wasm'

/**
 * The hash functions of the peers a second time, slow and plain, so that the package is never held against itself:
 * xxHash64 from `xxhash-wasm`, the other two in `bigint` from their published descriptions.
 */

const mask = 0xffff_ffff_ffff_ffffn
const wasm = await xxhash()

export function xxh64(bytes: Uint8Array, seed: bigint): bigint {
  return wasm.h64Raw(bytes, seed)
}

const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & mask
const multiply = (a: bigint, b: bigint): bigint => (a * b) & mask

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

/** MurmurHash3_x64_128; both halves of the digest. */
export function murmur3(bytes: Uint8Array, seed: bigint): readonly [bigint, bigint] {
  const c1 = 0x87c37b91114253d5n
  const c2 = 0x4cf5ad432745937fn
  const mix1 = (k: bigint): bigint => multiply(rotate(multiply(k, c1), 31n), c2)
  const mix2 = (k: bigint): bigint => multiply(rotate(multiply(k, c2), 33n), c1)
  let h1 = seed
  let h2 = seed
  const whole = bytes.length - (bytes.length % 16)
  for (let at = 0; at < whole; at += 16) {
    h1 =
      (multiply((rotate(h1 ^ mix1(littleEndian(bytes.subarray(at, at + 8))), 27n) + h2) & mask, 5n) +
        0x52dce729n) &
      mask
    h2 =
      (multiply((rotate(h2 ^ mix2(littleEndian(bytes.subarray(at + 8, at + 16))), 31n) + h1) & mask, 5n) +
        0x38495ab5n) &
      mask
  }
  const tail = bytes.subarray(whole)
  h2 ^= mix2(littleEndian(tail.subarray(8)))
  h1 ^= mix1(littleEndian(tail.subarray(0, 8)))
  h1 ^= BigInt(bytes.length)
  h2 ^= BigInt(bytes.length)
  h1 = (h1 + h2) & mask
  h2 = (h2 + h1) & mask
  h1 = avalanche(h1)
  h2 = avalanche(h2)
  h1 = (h1 + h2) & mask
  return [h1, (h2 + h1) & mask]
}

function avalanche(k: bigint): bigint {
  let h = multiply(k ^ (k >> 33n), 0xff51afd7ed558ccdn)
  h = multiply(h ^ (h >> 33n), 0xc4ceb9fe1a85ec53n)
  return h ^ (h >> 33n)
}

/** SipHash-2-4 (Aumasson and Bernstein, 2012), 64-bit digest. */
export function siphash(k0: bigint, k1: bigint, bytes: Uint8Array): bigint {
  const v = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ] as [bigint, bigint, bigint, bigint]
  const whole = bytes.length - (bytes.length % 8)
  const absorb = (word: bigint): void => {
    v[3] ^= word
    sipRounds(v, 2)
    v[0] ^= word
  }
  for (let at = 0; at < whole; at += 8) absorb(littleEndian(bytes.subarray(at, at + 8)))
  absorb((BigInt(bytes.length % 256) << 56n) | littleEndian(bytes.subarray(whole)))
  v[2] ^= 0xffn
  sipRounds(v, 4)
  return v[0] ^ v[1] ^ v[2] ^ v[3]
}

function sipRounds(v: [bigint, bigint, bigint, bigint], count: number): void {
  for (let round = 0; round < count; round++) {
    v[0] = (v[0] + v[1]) & mask
    v[1] = rotate(v[1], 13n) ^ v[0]
    v[0] = rotate(v[0], 32n)
    v[2] = (v[2] + v[3]) & mask
    v[3] = rotate(v[3], 16n) ^ v[2]
    v[0] = (v[0] + v[3]) & mask
    v[3] = rotate(v[3], 21n) ^ v[0]
    v[2] = (v[2] + v[1]) & mask
    v[1] = rotate(v[1], 17n) ^ v[2]
    v[2] = rotate(v[2], 32n)
  }
}
