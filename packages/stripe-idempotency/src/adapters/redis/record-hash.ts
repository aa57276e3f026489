import { Buffer } from 'node:buffer'
import { IdempotencyError } from '../../errors.ts'
import type { IdempotencyRecord } from '../../record/record.ts'
import { readJournal, writeJournal } from '../../store/journal.ts'

type Place = Pick<IdempotencyRecord, 'scope' | 'key'>

/** `<prefix>{<scope in base64url>:<key>}`, so that all of a record is in one slot of a cluster. */
export function hashKeyOf(prefix: string, { scope, key }: Place): string {
  return `${hashKeysOf(prefix, scope)}${key}}`
}

/** What the keys of a scope begin with. */
export function hashKeysOf(prefix: string, scope: string): string {
  return `${prefix}{${Buffer.from(scope).toString('base64url')}:`
}

/** @throws IdempotencyError `record_corrupt` */
export function placeOf(prefix: string, hashKey: string): Place {
  const [, scope, key] = /^\{([\w-]*):(.*)\}$/s.exec(hashKey.slice(prefix.length)) ?? []
  if (scope === undefined || key === undefined) {
    throw new IdempotencyError('record_corrupt', `the key ${hashKey} of Redis is not one of this package`)
  }
  return { scope: Buffer.from(scope, 'base64url').toString(), key }
}

/** Names and values of the fields; what is null is left out. */
export function fieldsOf(record: IdempotencyRecord): (string | Buffer)[] {
  const fields: Record<string, string | Uint8Array | null> = {
    state: record.state,
    fence: String(record.fence),
    id: record.id,
    endpoint: record.endpoint,
    fingerprint: record.fingerprint,
    owner: record.owner,
    lease_ends: String(record.leaseEnds),
    created_at: String(record.createdAt),
    expires_at: String(record.expiresAt),
    recovery_point: record.recoveryPoint,
    journal: record.journal.size === 0 ? null : writeJournal(record.journal),
    operation: record.operation?.name ?? null,
    input: record.operation?.input ?? null,
    response: record.response,
    why: record.why,
    erased: record.erased ? '1' : null,
  }
  return Object.entries(fields).flatMap(([name, value]) =>
    value === null ? [] : [name, typeof value === 'string' ? value : bufferOf(value)],
  )
}

/** @throws IdempotencyError `record_corrupt` */
export function recordOf(place: Place, answered: unknown): IdempotencyRecord | undefined {
  const fields = fieldsIn(answered)
  if (fields.size === 0) return undefined
  const text = (name: string): string | null => fields.get(name)?.toString() ?? null
  const needed = (name: string): string => {
    const value = text(name)
    if (value !== null) return value
    throw new IdempotencyError('record_corrupt', `a record in Redis has no field ${name}`)
  }
  const state = needed('state')
  const operation = text('operation')
  return {
    id: needed('id'),
    scope: place.scope,
    key: place.key,
    endpoint: needed('endpoint'),
    fingerprint: fields.get('fingerprint') ?? new Uint8Array(),
    state: state === 'completed' || state === 'uncertain' ? state : 'claimed',
    fence: Number(needed('fence')),
    owner: needed('owner'),
    leaseEnds: Number(needed('lease_ends')),
    createdAt: Number(needed('created_at')),
    expiresAt: Number(needed('expires_at')),
    recoveryPoint: text('recovery_point'),
    journal: readJournal(fields.get('journal') ?? Buffer.alloc(0)),
    operation:
      operation === null ? null : { name: operation, input: fields.get('input') ?? new Uint8Array() },
    response: fields.get('response') ?? null,
    why: text('why'),
    erased: fields.has('erased'),
  }
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function fieldsIn(answered: unknown): ReadonlyMap<string, Buffer> {
  const fields = new Map<string, Buffer>()
  if (!Array.isArray(answered)) return fields
  for (let at = 0; at + 1 < answered.length; at += 2) {
    const value: unknown = answered[at + 1]
    if (Buffer.isBuffer(value)) fields.set(String(answered[at]), value)
  }
  return fields
}
