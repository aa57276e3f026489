import { type Expression, type SqlBool, sql } from 'kysely'
import type { Zanzibar } from '../zanzibar.ts'
import { type ObjectFilterOptions, objectIds } from './object-ids.ts'

/** Whether a column holds the id of one of the objects: for `where`. */
export type ObjectFilter = (column: string | Expression<unknown>) => Expression<SqlBool>

/**
 * Asks once for the objects that a user has a relation to; the filter holds for the rows that are about one of them:
 * `db.selectFrom('document').where(visible('document.id'))`.
 *
 * @throws ZanzibarError `exceeded_entity_limit` where there are more than `max`: rows are never left out in silence
 */
export async function objectFilter(
  zanzibar: Pick<Zanzibar, 'listObjectsPage'>,
  options: ObjectFilterOptions<unknown>,
): Promise<ObjectFilter> {
  const ids = await objectIds(zanzibar, options)
  return (column) => {
    const ref = typeof column === 'string' ? sql.ref(column) : column
    // A list without elements is no SQL.
    return ids.length === 0 ? sql<SqlBool>`1 = 0` : sql<SqlBool>`${ref} in (${sql.join(ids)})`
  }
}

export type { ObjectFilterOptions } from './object-ids.ts'
