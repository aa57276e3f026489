import { Buffer } from 'node:buffer'
import { IdempotencyError } from '../../errors.ts'
import type { IdempotencyRecord } from '../../record/record.ts'
import { readJournal, writeJournal } from '../../store/journal.ts'
import type { Row } from './client.ts'

/** The columns of a record, in the order of {@link valuesOf}. */
export const columns: readonly string[] =
  'scope key id endpoint fingerprint state fence owner lease_ends created_at expires_at recovery_point journal operation input response why erased'.split(
    ' ',
  )

/** Those of a record that was claimed for the first time and has left no phase, in the order of {@link newValuesOf}. */
export const newColumns: readonly string[] =
  'scope key id endpoint fingerprint state owner lease_ends created_at expires_at operation input response'.split(
    ' ',
  )

export function newValuesOf(record: IdempotencyRecord): unknown[] {
  return [
    writeText(record.scope),
    writeText(record.key),
    record.id,
    writeText(record.endpoint),
    record.fingerprint,
    record.state,
    record.owner,
    record.leaseEnds,
    record.createdAt,
    record.expiresAt,
    record.operation === null ? null : writeText(record.operation.name),
    record.operation?.input ?? null,
    record.response,
  ]
}

export function valuesOf(record: IdempotencyRecord): unknown[] {
  return [
    writeText(record.scope),
    writeText(record.key),
    record.id,
    writeText(record.endpoint),
    record.fingerprint,
    record.state,
    record.fence,
    record.owner,
    record.leaseEnds,
    record.createdAt,
    record.expiresAt,
    record.recoveryPoint === null ? null : writeText(record.recoveryPoint),
    writeJournal(record.journal),
    record.operation === null ? null : writeText(record.operation.name),
    record.operation?.input ?? null,
    record.response,
    record.why === null ? null : writeText(record.why),
    record.erased,
  ]
}

/** @throws IdempotencyError `record_corrupt` */
export function recordOf(row: Row): IdempotencyRecord {
  const state = textOf(row, 'state')
  const operation = nullableText(row, 'operation')
  return {
    id: textOf(row, 'id'),
    scope: textOf(row, 'scope'),
    key: textOf(row, 'key'),
    endpoint: textOf(row, 'endpoint'),
    fingerprint: bytesOf(row, 'fingerprint') ?? new Uint8Array(),
    state: state === 'completed' || state === 'uncertain' ? state : 'claimed',
    fence: numberOf(row, 'fence'),
    owner: textOf(row, 'owner'),
    leaseEnds: numberOf(row, 'lease_ends'),
    createdAt: numberOf(row, 'created_at'),
    expiresAt: numberOf(row, 'expires_at'),
    recoveryPoint: nullableText(row, 'recovery_point'),
    journal: readJournal(bytesOf(row, 'journal') ?? Buffer.alloc(0)),
    operation:
      operation === null ? null : { name: operation, input: bytesOf(row, 'input') ?? new Uint8Array() },
    response: bytesOf(row, 'response'),
    why: nullableText(row, 'why'),
    erased: row['erased'] === true,
  }
}

/** A text of PostgreSQL holds no NUL: `\0` stands for it, and `\\` for a backslash. */
export function writeText(text: string): string {
  return text.includes('\\') || text.includes('\0')
    ? text.replaceAll('\\', '\\\\').replaceAll('\0', '\\0')
    : text
}

export function numberOf(row: Row, column: string): number {
  const value = Number(row[column])
  if (Number.isSafeInteger(value)) return value
  throw new IdempotencyError('record_corrupt', `the column ${column} holds no number`)
}

export function textOf(row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string')
    throw new IdempotencyError('record_corrupt', `the column ${column} holds no text`)
  return value.includes('\\')
    ? value.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === '0' ? '\0' : escaped))
    : value
}

function nullableText(row: Row, column: string): string | null {
  return row[column] === null ? null : textOf(row, column)
}

export function bytesOf(row: Row, column: string): Buffer | null {
  const value = row[column]
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : null
}
