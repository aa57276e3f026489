import type { TupleFilter } from '../store/tuple-store.ts'
import { filterParts } from '../store/write-plan.ts'
import { afterType } from './rows.ts'

/** The revision of removal of what was not removed: above every revision. */
export const neverRemoved: number = Number.MAX_SAFE_INTEGER

/** A condition of SQL and its values; the first two are the store and the time. */
export interface SqlCondition {
  readonly sql: string
  readonly values: (number | string)[]
}

/** Which rows of tuples are there, have not expired, and fit; `sign` is what a parameter's number stands behind. */
export function conditionFor(
  filter: TupleFilter,
  { store, now }: { readonly store: number; readonly now: number },
  sign: '$' | '?',
): SqlCondition {
  const { object, objectType, relation, user, userType } = filterParts(filter)
  const values: (number | string)[] = [store, now]
  const parts = [
    `store = ${sign}1`,
    `removed = ${neverRemoved}`,
    `(expires_at IS NULL OR expires_at > ${sign}2)`,
  ]
  const add = (column: string, operator: string, value: string): void => {
    parts.push(`${column} ${operator} ${sign}${values.push(value)}`)
  }
  if (object !== undefined) add('object', '=', object)
  if (objectType !== undefined) {
    add('object', '>=', `${objectType}:`)
    add('object', '<', afterType(objectType))
  }
  if (relation !== undefined) add('relation', '=', relation)
  if (user !== undefined) add('"user"', '=', user)
  if (userType !== undefined) {
    add('"user"', '>=', `${userType}:`)
    add('"user"', '<', afterType(userType))
  }
  return { sql: parts.join(' AND '), values }
}
