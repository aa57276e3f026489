import { Buffer } from 'node:buffer'
import { type IdempotencyRecord, noJournal } from '../record/record.ts'

/** A completed record as one string of Latin-1: a million records are a million strings, and no more. */
export type Packed = string

type Place = Pick<IdempotencyRecord, 'scope' | 'key'>

/** Longer ones cost more to copy than they save. */
const lengthMax = 16_384
/** What has a fixed length stands in front, at these places; then scope, key, id, owner, endpoint, fingerprint, response. */
const head = {
  createdAt: 0,
  expiresAt: 6,
  leaseEnds: 12,
  fence: 18,
  scopeLength: 24,
  keyLength: 26,
  idLength: 28,
  /** 0 where the owner is the id. */
  ownerLength: 30,
  endpointLength: 32,
  fingerprintLength: 34,
  length: 36,
} as const

const scratch = Buffer.allocUnsafeSlow(lengthMax)
// Compiled code reads and writes a view in place, where it calls the methods of a Buffer.
const view = new DataView(scratch.buffer)

/** Undefined for what is not completed, has left more than its answer, is large, has names that are not ASCII, or times that are no whole milliseconds. */
export function pack(record: IdempotencyRecord): Packed | undefined {
  const { scope, key, id, owner, endpoint, fingerprint, response } = record
  if (response === null || owner === '' || !hasAnswerAlone(record)) return undefined
  const names = scope + key + (owner === id ? id : id + owner) + endpoint
  const fingerprintAt = head.length + names.length
  const responseAt = fingerprintAt + fingerprint.length
  const end = responseAt + response.length
  // Anything but ASCII has more bytes than characters.
  if (end > lengthMax || scratch.write(names, head.length) !== names.length) return undefined
  if (!putNumber(head.createdAt, record.createdAt) || !putNumber(head.expiresAt, record.expiresAt))
    return undefined
  if (!putNumber(head.leaseEnds, record.leaseEnds) || !putNumber(head.fence, record.fence)) return undefined
  view.setUint16(head.scopeLength, scope.length, true)
  view.setUint16(head.keyLength, key.length, true)
  view.setUint16(head.idLength, id.length, true)
  view.setUint16(head.ownerLength, owner === id ? 0 : owner.length, true)
  view.setUint16(head.endpointLength, endpoint.length, true)
  view.setUint16(head.fingerprintLength, fingerprint.length, true)
  scratch.set(fingerprint, fingerprintAt)
  scratch.set(response, responseAt)
  return scratch.toString('latin1', 0, end)
}

/** In six bytes; false for what has not its place there, such as parts of a millisecond. */
function putNumber(at: number, number: number): boolean {
  const high = Math.floor(number / 0x1_0000_0000)
  if (!(high >= 0 && high < 0x1_0000 && Number.isInteger(number))) return false
  view.setUint32(at, number >>> 0, true)
  view.setUint16(at + 4, high, true)
  return true
}

function hasAnswerAlone(record: IdempotencyRecord): boolean {
  return (
    record.state === 'completed' &&
    record.recoveryPoint === null &&
    record.journal.size === 0 &&
    record.operation === null &&
    record.why === null &&
    !record.erased
  )
}

/** Whether it is the record of the key. */
export function isPackedAt(packed: Packed, { scope, key }: Place): boolean {
  const keyAt = head.length + scope.length
  return (
    lengthAt(packed, head.keyLength) === key.length &&
    lengthAt(packed, head.scopeLength) === scope.length &&
    // Faster than `startsWith`.
    packed.slice(keyAt, keyAt + key.length) === key &&
    packed.slice(head.length, keyAt) === scope
  )
}

function lengthAt(packed: Packed, at: number): number {
  return packed.charCodeAt(at) + packed.charCodeAt(at + 1) * 256
}

/** The record, with bytes of its own. */
export function unpack(packed: Packed): IdempotencyRecord {
  const bytes = Buffer.from(packed, 'latin1')
  const keyAt = head.length + lengthIn(bytes, head.scopeLength)
  const idAt = keyAt + lengthIn(bytes, head.keyLength)
  const ownerAt = idAt + lengthIn(bytes, head.idLength)
  const endpointAt = ownerAt + lengthIn(bytes, head.ownerLength)
  const fingerprintAt = endpointAt + lengthIn(bytes, head.endpointLength)
  const responseAt = fingerprintAt + lengthIn(bytes, head.fingerprintLength)
  const id = packed.slice(idAt, ownerAt)
  return {
    id,
    scope: packed.slice(head.length, keyAt),
    key: packed.slice(keyAt, idAt),
    endpoint: packed.slice(endpointAt, fingerprintAt),
    fingerprint: bytes.subarray(fingerprintAt, responseAt),
    state: 'completed',
    fence: numberIn(bytes, head.fence),
    owner: endpointAt === ownerAt ? id : packed.slice(ownerAt, endpointAt),
    leaseEnds: numberIn(bytes, head.leaseEnds),
    createdAt: numberIn(bytes, head.createdAt),
    expiresAt: numberIn(bytes, head.expiresAt),
    recoveryPoint: null,
    journal: noJournal,
    operation: null,
    response: bytes.subarray(responseAt),
    why: null,
    erased: false,
  }
}

function lengthIn(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 0x100
}

/** The number of six bytes, some times faster than `readUIntLE`. */
function numberIn(bytes: Uint8Array, at: number): number {
  const low = lengthIn(bytes, at) + lengthIn(bytes, at + 2) * 0x1_0000
  return low + lengthIn(bytes, at + 4) * 0x1_0000_0000
}
