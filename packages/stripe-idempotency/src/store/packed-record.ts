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
  expiresAt: 8,
  leaseEnds: 16,
  fence: 24,
  scopeLength: 32,
  keyLength: 34,
  idLength: 36,
  /** 0 where the owner is the id. */
  ownerLength: 38,
  endpointLength: 40,
  fingerprintLength: 42,
  length: 44,
} as const

const scratch = Buffer.allocUnsafeSlow(lengthMax)
// Compiled code reads and writes a view in place, where it calls the methods of a Buffer.
const view = new DataView(scratch.buffer)

/** Undefined for what is not completed, has left more than its answer, is large, or has names that are not ASCII. */
export function pack(record: IdempotencyRecord): Packed | undefined {
  const { scope, key, id, owner, endpoint, fingerprint, response } = record
  if (response === null || owner === '' || !hasAnswerAlone(record)) return undefined
  const names = scope + key + (owner === id ? id : id + owner) + endpoint
  const fingerprintAt = head.length + names.length
  const responseAt = fingerprintAt + fingerprint.length
  const end = responseAt + response.length
  // Anything but ASCII has more bytes than characters.
  if (end > lengthMax || scratch.write(names, head.length) !== names.length) return undefined
  view.setFloat64(head.createdAt, record.createdAt, true)
  view.setFloat64(head.expiresAt, record.expiresAt, true)
  view.setFloat64(head.leaseEnds, record.leaseEnds, true)
  view.setFloat64(head.fence, record.fence, true)
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
  return (
    lengthAt(packed, head.keyLength) === key.length &&
    lengthAt(packed, head.scopeLength) === scope.length &&
    packed.startsWith(key, head.length + scope.length) &&
    packed.startsWith(scope, head.length)
  )
}

function lengthAt(packed: Packed, at: number): number {
  return packed.charCodeAt(at) + packed.charCodeAt(at + 1) * 256
}

/** The record, with bytes of its own. */
export function unpack(packed: Packed): IdempotencyRecord {
  const bytes = Buffer.from(packed, 'latin1')
  const keyAt = head.length + lengthAt(packed, head.scopeLength)
  const idAt = keyAt + lengthAt(packed, head.keyLength)
  const ownerAt = idAt + lengthAt(packed, head.idLength)
  const endpointAt = ownerAt + lengthAt(packed, head.ownerLength)
  const fingerprintAt = endpointAt + lengthAt(packed, head.endpointLength)
  const responseAt = fingerprintAt + lengthAt(packed, head.fingerprintLength)
  const id = packed.slice(idAt, ownerAt)
  return {
    id,
    scope: packed.slice(head.length, keyAt),
    key: packed.slice(keyAt, idAt),
    endpoint: packed.slice(endpointAt, fingerprintAt),
    fingerprint: bytes.subarray(fingerprintAt, responseAt),
    state: 'completed',
    fence: bytes.readDoubleLE(head.fence),
    owner: endpointAt === ownerAt ? id : packed.slice(ownerAt, endpointAt),
    leaseEnds: bytes.readDoubleLE(head.leaseEnds),
    createdAt: bytes.readDoubleLE(head.createdAt),
    expiresAt: bytes.readDoubleLE(head.expiresAt),
    recoveryPoint: null,
    journal: noJournal,
    operation: null,
    response: bytes.subarray(responseAt),
    why: null,
    erased: false,
  }
}
