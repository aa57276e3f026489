import { Buffer } from 'node:buffer'
import { IdempotencyError } from '../../errors.ts'
import type { ClaimRequest, Holder, IdempotencyRecord } from '../../record/record.ts'
import type { Place } from '../../store/changing-store.ts'
import { readJournal, writeJournal } from '../../store/journal.ts'

// A record is one string: its state (`c`laimed, `d`one, `u`ncertain), `a` where somebody waits for it, else `-`, then
// `<created> <lease ends> <expires> <revision> `, then its parts, each as `<bytes>:<content>` or `-` for null, then the answer.
// The revision goes up with every write but the completing one, so that what stands before the parts, and the id, is of
// one version of the record alone.

const states = { claimed: 'c', completed: 'd', uncertain: 'u' } as const

/** `<prefix>{<scope in base64url>:<key>}`. */
export function recordKeyOf(prefix: string, { scope, key }: Place): string {
  return `${recordKeysOf(prefix, scope)}${key}}`
}

/** What the keys of a scope begin with. */
export function recordKeysOf(prefix: string, scope: string): string {
  return `${prefix}{${Buffer.from(scope).toString('base64url')}:`
}

/** @throws IdempotencyError `record_corrupt` */
export function placeOf(prefix: string, recordKey: string): Place {
  const [, scope, key] = /^\{([\w-]*):(.*)\}$/s.exec(recordKey.slice(prefix.length)) ?? []
  if (scope === undefined || key === undefined) {
    throw new IdempotencyError('record_corrupt', `the key ${recordKey} of Redis is not one of this package`)
  }
  return { scope: Buffer.from(scope, 'base64url').toString(), key }
}

/** The first parts, by which a holder is known. */
export function holderParts({ id, fence, owner }: Pick<Holder, 'id' | 'fence' | 'owner'>): string {
  return `${idPart(id)}${part(String(fence))}${part(owner)}`
}

/** The first of them. */
export function idPart(id: string): string {
  return part(id)
}

/** The parts of a record that is new. */
export function claimParts({ id, owner, endpoint, fingerprint, operation }: ClaimRequest): string | Buffer {
  const head = `${holderParts({ id, fence: 1, owner })}${part(endpoint)}${part(base64Of(fingerprint))}`
  return operation === null
    ? `${head}------`
    : Buffer.concat([
        Buffer.from(`${head}${part(operation.name)}`),
        bytesPart(operation.input),
        Buffer.from('----'),
      ])
}

/** A record that is new and has these parts, as the script that puts one writes it. */
export function writeNew({ lease, ttl }: ClaimRequest, parts: string, now: number): string {
  return `${states.claimed}-${now} ${now + lease} ${now + ttl} 1 ${parts}`
}

/** What no other version of any record of the key begins with, of one that is new. */
export function headOf(put: string, id: string): string {
  return put.slice(0, put.indexOf(':') + 1 + id.length)
}

/** The same, done with an answer, as the script that completes one writes it. */
export function writeDone(put: string, answer: string | Buffer): string | Buffer {
  const head = `${states.completed}-${put.slice(2)}`
  return typeof answer === 'string' ? head + answer : Buffer.concat([Buffer.from(head), answer])
}

/** A record as it stands in Redis, and what tells it from every other version. */
export interface Version {
  readonly record: IdempotencyRecord
  readonly revision: number
  readonly awaited: boolean
  /** What no other version of any record of the key begins with. */
  readonly head: Buffer
}

/** @param awaited whether somebody still waits for it */
export function writeRecord(record: IdempotencyRecord, revision: number, awaited: boolean): Buffer {
  const { createdAt, leaseEnds, expiresAt, endpoint, fingerprint, operation, recoveryPoint, journal } = record
  return Buffer.concat([
    Buffer.from(
      `${states[record.state]}${awaited ? 'a' : '-'}${createdAt} ${leaseEnds} ${expiresAt} ${revision} ` +
        `${holderParts(record)}${part(endpoint)}${part(base64Of(fingerprint))}${part(operation?.name ?? null)}`,
    ),
    bytesPart(operation?.input ?? null),
    Buffer.from(part(recoveryPoint)),
    bytesPart(journal.size === 0 ? null : writeJournal(journal)),
    Buffer.from(`${part(record.why)}${part(record.erased ? '1' : null)}`),
    record.response ?? Buffer.alloc(0),
  ])
}

/** @throws IdempotencyError `record_corrupt` */
export function readRecord(place: Place, bytes: Buffer): Version {
  const numbersEnd = afterNumbers(bytes)
  const [createdAt = 0, leaseEnds = 0, expiresAt = 0, revision = 0] = bytes
    .toString('latin1', 2, numbersEnd)
    .split(' ')
    .map(Number)
  const parts = new Parts(bytes, numbersEnd)
  const id = parts.text() ?? ''
  const head = bytes.subarray(0, parts.at)
  const fence = Number(parts.text())
  const owner = parts.text() ?? ''
  const endpoint = parts.text() ?? ''
  const fingerprint = Buffer.from(parts.text() ?? '', 'base64url')
  const name = parts.text()
  const input = parts.bytes()
  const recoveryPoint = parts.text()
  const journal = readJournal(parts.bytes() ?? Buffer.alloc(0))
  const why = parts.text()
  const erased = parts.bytes() !== null
  const state = stateOf(bytes)
  const response = bytes.subarray(parts.at)
  return {
    record: {
      scope: place.scope,
      key: place.key,
      id,
      endpoint,
      fingerprint,
      state,
      fence,
      owner,
      leaseEnds,
      createdAt,
      expiresAt,
      recoveryPoint,
      journal,
      operation: name === null ? null : { name, input: input ?? new Uint8Array() },
      response: state !== 'completed' || (erased && response.length === 0) ? null : response,
      why,
      erased,
    },
    revision,
    awaited: bytes[1] === 0x61,
    head,
  }
}

function stateOf(bytes: Buffer): IdempotencyRecord['state'] {
  const letter = bytes.toString('latin1', 0, 1)
  if (letter === states.claimed) return 'claimed'
  if (letter === states.completed) return 'completed'
  if (letter === states.uncertain) return 'uncertain'
  throw corrupt()
}

function afterNumbers(bytes: Buffer): number {
  let end = 2
  for (let number = 0; number < 4; number++) {
    end = bytes.indexOf(' ', end) + 1
    if (end === 0) throw corrupt()
  }
  return end
}

class Parts {
  at: number
  readonly #bytes: Buffer

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  text(): string | null {
    return this.bytes()?.toString() ?? null
  }

  bytes(): Buffer | null {
    if (this.#bytes[this.at] === 0x2d) {
      this.at++
      return null
    }
    const colon = this.#bytes.indexOf(':', this.at)
    const end = colon + 1 + Number(this.#bytes.toString('latin1', this.at, colon))
    if (colon === -1 || !(end <= this.#bytes.length)) throw corrupt()
    this.at = end
    return this.#bytes.subarray(colon + 1, end)
  }
}

function part(text: string | null): string {
  return text === null ? '-' : `${Buffer.byteLength(text)}:${text}`
}

function bytesPart(bytes: Uint8Array | null): Buffer {
  return bytes === null ? Buffer.from('-') : Buffer.concat([Buffer.from(`${bytes.length}:`), bytes])
}

function base64Of(bytes: Uint8Array): string {
  return bufferOf(bytes).toString('base64url')
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function corrupt(): IdempotencyError {
  return new IdempotencyError('record_corrupt', 'a value in Redis is no record of this package')
}
