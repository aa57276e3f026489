import { Buffer } from 'node:buffer'
import { ZanzibarError } from '../errors.ts'
import { cryptography } from '../ports.ts'

/**
 * A consistency token (the paper's zookie): a moment of one store. Opaque; to be kept beside the content whose access
 * the write changed, and given back with questions about it.
 */
export type Token = string

// Version (1 byte), revision (8), which store (8), a code that nobody else can make (8).
const version = 1
const placeAt = 9
const codeAt = 17
const length = 25

/** Makes and reads the tokens of one store. */
export interface Tokens {
  write(revision: number): Token
  /**
   * The revision that a token names.
   *
   * @throws ZanzibarError `token_invalid`, `token_of_another_store`
   */
  read(token: Token): number
}

/** `identity` tells one storage from every other one (`TupleStore.identity`): it is the key that tokens are signed with. */
export function tokensOf(identity: Uint8Array, storeId: string): Tokens {
  const { createHmac, timingSafeEqual } = cryptography()
  const key = createHmac('sha256', identity).update('loadbearing:zanzibar:token').digest()
  const place = createHmac('sha256', key).update(storeId).digest()
  const codeOf = (bytes: Buffer): Buffer =>
    createHmac('sha256', key)
      .update(bytes.subarray(0, codeAt))
      .digest()
      .subarray(0, length - codeAt)
  // Most tokens that are written or read are of the latest moment: it is signed once.
  let latest: { readonly revision: number; readonly token: Token } | undefined
  return {
    write(revision) {
      if (latest?.revision === revision) return latest.token
      const bytes = Buffer.alloc(length)
      bytes.writeUInt8(version)
      bytes.writeBigUInt64BE(BigInt(revision), 1)
      place.copy(bytes, placeAt, 0, codeAt - placeAt)
      codeOf(bytes).copy(bytes, codeAt)
      const token = bytes.toString('base64url')
      latest = { revision, token }
      return token
    },
    read(token) {
      if (latest?.token === token) return latest.revision
      // A header that came twice is a list.
      if (typeof token !== 'string') throw invalid()
      const bytes = Buffer.from(token, 'base64url')
      if (bytes.length !== length || bytes.toString('base64url') !== token) throw invalid()
      if (!bytes.subarray(placeAt, codeAt).equals(place.subarray(0, codeAt - placeAt))) throw foreign()
      if (!timingSafeEqual(bytes.subarray(codeAt), codeOf(bytes)) || bytes.readUInt8() !== version)
        throw invalid()
      return Number(bytes.readBigUInt64BE(1))
    },
  }
}

/** Of how many stores the tokens are kept ready: to make them takes four times as long as to sign one. */
const keptStores = 1000

/** The tokens of any store of one storage; those that were asked for last are kept ready. */
export function storeTokens(identity: Uint8Array): (storeId: string) => Tokens {
  const ready = new Map<string, Tokens>()
  return (storeId) => {
    let tokens = ready.get(storeId)
    if (tokens !== undefined) return tokens
    tokens = tokensOf(identity, storeId)
    ready.set(storeId, tokens)
    const [oldest] = ready.keys()
    if (ready.size > keptStores && oldest !== undefined) ready.delete(oldest)
    return tokens
  }
}

function invalid(): ZanzibarError {
  return new ZanzibarError(
    'token_invalid',
    'the consistency token was changed, or is none; give one that a write or a question answered with',
  )
}

function foreign(): ZanzibarError {
  return new ZanzibarError(
    'token_of_another_store',
    'the consistency token is of another store; ask the store that gave it',
  )
}
