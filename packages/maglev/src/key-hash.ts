import { MaglevError, shown } from './errors.ts'
import { siphash24 } from './hash/siphash.ts'
import { encoded, encodeKey, viewOf } from './hash/utf8.ts'
import { modulo, toBigint, type Word64, word64 } from './hash/word64.ts'
import { xxh32 } from './hash/xxh32.ts'
import { xxh64 } from './hash/xxh64.ts'
import type { KeyHashName } from './options.ts'

/**
 * What is looked up. A string is hashed as its UTF-8 bytes (a lone surrogate as U+FFFD), so that it agrees with them as a
 * `Uint8Array`. A number (a safe integer, 0 or more) or a bigint (below 2^64) **is** the 64-bit hash, `10` and `10n` the same
 * one; with a `secret` they are hashed as well, as 8 bytes, little-endian.
 */
export type Key = string | Uint8Array | number | bigint

const integerBytes = new DataView(new ArrayBuffer(8))

/** Hashes keys under one hash and seed, allocating nothing for a string, bytes or a number. */
export class KeyHash {
  readonly name: KeyHashName
  /** The hash of the last key. */
  readonly word: Word64 = word64()
  readonly #seedLow: number
  readonly #seedHigh: number
  readonly #secret: Uint32Array

  constructor(name: KeyHashName, seed: bigint, secret: Uint8Array | undefined) {
    this.name = name
    const [low = 0, high = 0] = word64(seed)
    this.#seedLow = low
    this.#seedHigh = high
    this.#secret = secretWords(secret ?? new Uint8Array(16))
  }

  /** Slot of `key` in a table of `size`; its hash is then in `word`. */
  slot(key: Key, size: number): number {
    if (typeof key === 'string' || key instanceof Uint8Array) {
      const length = encodeKey(key)
      this.#hashBytes(encoded, length)
    } else if (typeof key === 'number') this.#hashNumber(key)
    else this.#hashBigint(key)
    return modulo(this.word, size)
  }

  #hashBytes(bytes: DataView, length: number): void {
    if (this.name === 'xxh32') {
      this.word[0] = xxh32(bytes, length, this.#seedLow)
      this.word[1] = 0
    } else if (this.name === 'xxh64') xxh64(bytes, length, this.#seedLow, this.#seedHigh, this.word)
    else siphash24(bytes, length, this.#secret, this.word)
  }

  #hashNumber(key: number): void {
    if (!Number.isSafeInteger(key) || key < 0) throw invalidKey(key)
    const low = key >>> 0
    this.word[0] = low
    this.word[1] = (key - low) / 2 ** 32
    if (this.name === 'siphash') this.#hashWord()
  }

  #hashBigint(key: unknown): void {
    if (typeof key !== 'bigint' || BigInt.asUintN(64, key) !== key) throw invalidKey(key)
    this.word[0] = Number(key & 0xffffffffn)
    this.word[1] = Number(key >> 32n)
    if (this.name === 'siphash') this.#hashWord()
  }

  #hashWord(): void {
    integerBytes.setUint32(0, this.word[0] ?? 0, true)
    integerBytes.setUint32(4, this.word[1] ?? 0, true)
    siphash24(integerBytes, 8, this.#secret, this.word)
  }
}

/** The secret as the four words that SipHash takes. */
function secretWords(secret: Uint8Array): Uint32Array {
  const view = viewOf(secret)
  return Uint32Array.from({ length: 4 }, (_, i) => view.getUint32(i * 4, true))
}

/** 16 hex digits that tell secrets apart: SipHash, keyed by the secret, of a fixed text. */
export function fingerprintSecret(secret: Uint8Array): string {
  const out = word64()
  const length = encodeKey('loadbearing:maglev:secret')
  siphash24(encoded, length, secretWords(secret), out)
  return toBigint(out).toString(16).padStart(16, '0')
}

/** @throws MaglevError `INVALID_KEY` for what is no list of keys. */
export function wantKeys(keys: unknown): void {
  if (Array.isArray(keys) || ArrayBuffer.isView(keys)) return
  throw new MaglevError('INVALID_KEY', `Keys must be an array or a typed array, not ${shown(keys)}`)
}

function invalidKey(key: unknown): MaglevError {
  return new MaglevError(
    'INVALID_KEY',
    `A key is a string, bytes, a whole number from 0 to 2^53 - 1 or a bigint below 2^64, not ${shown(key)}`,
  )
}
