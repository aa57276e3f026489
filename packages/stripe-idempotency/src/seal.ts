import { Buffer } from 'node:buffer'
import { createCipheriv, createDecipheriv, createHmac, hash, hkdfSync } from 'node:crypto'
import { IdempotencyError } from './errors.ts'
import type { Random } from './ports.ts'

/** A secret and the name under which what it sealed is found again. */
export interface Secret {
  /** 1 to 32 characters, stored in clear with whatever the secret seals. */
  readonly id: string
  /** At least 16 bytes that nobody can guess. */
  readonly value: string | Uint8Array
}

/** What becomes of keys and contents before a store sees them. */
export interface Sealer {
  /** The name of a key in a store: its HMAC with the scope where there is a secret, else its SHA-256. */
  keyOf(scope: string, key: string): string
  /** What is stored of a fingerprint, beside the name of its key: its HMAC where there is a secret, else itself. */
  markOf(fingerprint: Uint8Array, scope: string, key: string): Uint8Array
  /** @param place what the content belongs to: it opens nowhere else */
  seal(content: Uint8Array, place: string): Uint8Array
  /** @throws IdempotencyError `record_corrupt` */
  open(sealed: Uint8Array, place: string): Uint8Array
}

/** What sealed content is to its record: its answer, what was asked for, or what a phase left. */
export type Part = 'answer' | 'input' | `output ${string}`

/** What sealed content belongs to: this part of this record, not of one that had the key before it or has it after. */
export function placeOf(
  { scope, key, id }: { readonly scope: string; readonly key: string; readonly id: string },
  part: Part,
): string {
  // Names of keys and ids have no spaces, and the length keeps scope and part apart.
  return `${key} ${id} ${scope.length}:${scope}${part}`
}

/**
 * @param secrets none where it is not given; an empty list is more likely a mistake than the wish to seal nothing
 * @throws IdempotencyError `invalid_option`, which does not show them
 */
export function checkedSecrets(secrets: readonly Secret[] | undefined): readonly Secret[] {
  if (secrets === undefined) return []
  if (!Array.isArray(secrets) || secrets.length === 0) {
    throw new IdempotencyError(
      'invalid_option',
      'secrets must be a list of at least one secret; leave it out where contents are to be stored as they are',
    )
  }
  const ids = new Set<string>()
  // Who confuses the id with the value reads neither of them in an error.
  for (const [at, secret] of secrets.entries()) {
    const { id, value }: Partial<Secret> = Object(secret)
    if (typeof id !== 'string' || !/^[\x21-\x7e]{1,32}$/.test(id) || ids.has(id)) {
      throw new IdempotencyError(
        'invalid_option',
        `the id of secret number ${at + 1} must be 1 to 32 visible ASCII characters, and of no other secret`,
      )
    }
    ids.add(id)
    if (!(typeof value === 'string' || value instanceof Uint8Array) || Buffer.byteLength(value) < 16) {
      throw new IdempotencyError(
        'invalid_option',
        `the value of secret number ${at + 1} must be text or bytes, at least 16 of them`,
      )
    }
  }
  return secrets
}

const plain = 0
const encrypted = 1
const nonceLength = 12
const tagLength = 16

/**
 * The first of the secrets seals, all of them open (AES-256-GCM), and the last names keys and marks fingerprints by HMAC
 * (SHA-256): a new secret in front of the old one seals from then on, and old keys are found, with what was asked by them.
 * Without any, contents are stored as they are, and keys as plain hashes; content that was stored so opens only without any.
 */
export function sealerOf(secrets: readonly Secret[], random: Random): Sealer {
  const derived = secrets.map(({ id, value }) => ({
    id,
    content: Buffer.from(hkdfSync('sha256', value, '', 'loadbearing:stripe-idempotency:content', 32)),
  }))
  const [first] = derived
  const named = secrets.at(-1)
  const lasting = (use: string): Buffer | undefined =>
    named && Buffer.from(hkdfSync('sha256', named.value, '', `loadbearing:stripe-idempotency:${use}`, 32))
  const [naming, marking] = [lasting('key'), lasting('fingerprint')]
  return {
    keyOf(scope, key) {
      // The length keeps scope and key apart.
      const text = `${Buffer.byteLength(scope)}:${scope}${key}`
      return naming === undefined
        ? hash('sha256', text, 'base64url')
        : createHmac('sha256', naming).update(text).digest('base64url')
    },
    markOf(fingerprint, scope, key) {
      if (marking === undefined) return fingerprint
      const place = Buffer.from(`${key} ${scope}`)
      const length = Buffer.from(`${place.length}:`)
      return createHmac('sha256', marking).update(length).update(place).update(fingerprint).digest()
    },
    seal(content, place) {
      if (first === undefined) {
        const stored = Buffer.allocUnsafe(content.length + 1)
        stored[0] = plain
        stored.set(content, 1)
        return stored
      }
      const id = Buffer.from(first.id)
      const nonce = random.bytes(nonceLength)
      const cipher = createCipheriv('aes-256-gcm', first.content, nonce).setAAD(Buffer.from(place))
      const body = [cipher.update(content), cipher.final()]
      return Buffer.concat([Uint8Array.of(encrypted, id.length), id, nonce, ...body, cipher.getAuthTag()])
    },
    open(sealed, place) {
      const bytes = Buffer.isBuffer(sealed)
        ? sealed
        : Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
      // Where there are secrets, clear content is forged, or altered.
      if (bytes[0] === plain && first === undefined) return bytes.subarray(1)
      const idEnd = 2 + (bytes[1] ?? 0)
      const secret = derived.find(({ id }) => id === bytes.toString('utf8', 2, idEnd))
      if (bytes[0] !== encrypted || bytes.length < idEnd + nonceLength + tagLength) {
        throw new IdempotencyError('record_corrupt', 'the store holds content that this package did not seal')
      }
      if (secret === undefined) {
        throw new IdempotencyError(
          'record_corrupt',
          `the store holds content sealed by a secret that was not given: ${JSON.stringify(bytes.toString('utf8', 2, idEnd))}`,
        )
      }
      const nonce = bytes.subarray(idEnd, idEnd + nonceLength)
      const decipher = createDecipheriv('aes-256-gcm', secret.content, nonce)
        .setAAD(Buffer.from(place))
        .setAuthTag(bytes.subarray(-tagLength))
      try {
        return Buffer.concat([
          decipher.update(bytes.subarray(idEnd + nonceLength, -tagLength)),
          decipher.final(),
        ])
      } catch (cause) {
        throw new IdempotencyError(
          'record_corrupt',
          'the store holds content that was altered, or of another record',
          {
            cause,
          },
        )
      }
    },
  }
}
