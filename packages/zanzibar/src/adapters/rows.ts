import { ZanzibarError } from '../errors.ts'
import type { AuthorizationModel } from '../model/authorization-model.ts'
import type { Assertion, Change, Page, StoredModel, StoredTuple, StoreRecord } from '../store/tuple-store.ts'
import type { Context, Tuple, TupleCondition, TupleKey } from '../tuple/tuple.ts'

/** What a driver gives for a row. */
export type Row = Readonly<Record<string, unknown>>

/** The columns of a tuple, of any table that has them. */
export function tupleOf(row: Row): Tuple {
  return {
    user: textOf(row, 'user'),
    relation: textOf(row, 'relation'),
    object: textOf(row, 'object'),
    condition: conditionOf(row),
  }
}

export function conditionOf(row: Row): TupleCondition | undefined {
  const name = row['condition']
  if (typeof name !== 'string') return undefined
  const context = row['context']
  // Written by this package, as JSON of an object.
  return typeof context === 'string' ? { name, context: JSON.parse(context) as Context } : { name }
}

/** The columns of a condition: its name, and its context as JSON. */
export function conditionColumns(
  condition: TupleCondition | undefined,
): readonly [name: string | null, context: string | null] {
  if (condition === undefined) return [null, null]
  return [condition.name, condition.context === undefined ? null : JSON.stringify(condition.context)]
}

function storedTupleOf(row: Row): StoredTuple {
  return {
    tuple: tupleOf(row),
    timestamp: numberOf(row, 'timestamp'),
    expiresAt: row['expires_at'] === null ? undefined : numberOf(row, 'expires_at'),
  }
}

/** A page of `limit` tuples, of rows in the order of writing that may be one more. */
export function tuplePageOf(rows: readonly Row[], limit: number): Page<StoredTuple> {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map(storedTupleOf),
    next: rows.length > limit && last !== undefined ? String(numberOf(last, 'position')) : undefined,
  }
}

/** The moment of a write, and the store's numbers before it. */
export interface WriteMoment {
  readonly store: number
  readonly now: number
  readonly revision: number
  readonly position: number
}

export function textOfKey({ user, relation, object }: TupleKey): string {
  return JSON.stringify([object, relation, user])
}

export function changeOf(row: Row): Change {
  const place = {
    revision: numberOf(row, 'revision'),
    timestamp: numberOf(row, 'timestamp'),
    position: numberOf(row, 'position'),
  }
  const { condition, ...key } = tupleOf(row)
  if (row['operation'] === 'delete') return { operation: 'delete', tuple: key, ...place }
  const { expiresAt } = storedTupleOf(row)
  return { operation: 'write', tuple: { ...key, condition }, expiresAt, ...place }
}

export function storeRecordOf(row: Row): StoreRecord {
  return {
    id: textOf(row, 'id'),
    name: textOf(row, 'name'),
    createdAt: numberOf(row, 'created_at'),
    updatedAt: numberOf(row, 'updated_at'),
  }
}

export function storedModelOf(row: Row): StoredModel {
  return { id: textOf(row, 'id'), model: JSON.parse(textOf(row, 'model')) as AuthorizationModel }
}

export function assertionsOf(row: Row | undefined): readonly Assertion[] {
  return row === undefined ? [] : (JSON.parse(textOf(row, 'assertions')) as readonly Assertion[])
}

export function textOf(row: Row, name: string): string {
  const value = row[name]
  if (typeof value === 'string') return value
  throw new ZanzibarError('internal_error', `the column ${name} holds no text`)
}

/** Drivers give large numbers as text. */
export function numberOf(row: Row, name: string): number {
  const value = Number(row[name])
  if (Number.isSafeInteger(value)) return value
  throw new ZanzibarError('internal_error', `the column ${name} holds no whole number`)
}

/** The first text after all that begin with `type:`. */
export function afterType(type: string): string {
  return `${type};`
}
