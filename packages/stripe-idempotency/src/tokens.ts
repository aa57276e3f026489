import { Buffer } from 'node:buffer'
import type { Random } from './ports.ts'

/** 132 bits. */
const tokenLength = 22
const madeAtOnce = 64

/**
 * Names that nobody can guess and nothing else has, in base64url; made many at once, since each by itself costs more. None
 * begins as an option of a command line does.
 */
export class Tokens {
  readonly #random: Random
  #made = ''
  #at = 0

  constructor(random: Random) {
    this.#random = random
  }

  next(): string {
    if (this.#at === this.#made.length) {
      const bytes = this.#random.bytes((madeAtOnce * tokenLength * 3) / 4)
      this.#made = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
      this.#at = 0
    }
    this.#at += tokenLength
    const token = this.#made.slice(this.#at - tokenLength, this.#at)
    return token.startsWith('-') ? `A${token.slice(1)}` : token
  }
}
