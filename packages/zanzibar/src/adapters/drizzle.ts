import { type Column, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { Zanzibar } from '../zanzibar.ts'
import { type ObjectFilterOptions, objectIds } from './object-ids.ts'

/** Whether a column holds the id of one of the objects: for `where`. */
export type ObjectFilter = (column: Column | SQLWrapper) => SQL

/**
 * Asks once for the objects that a user has a relation to; the filter holds for the rows that are about one of them:
 * `db.select().from(documents).where(visible(documents.id))`.
 *
 * @throws ZanzibarError `exceeded_entity_limit` where there are more than `max`: rows are never left out in silence
 */
export async function objectFilter(
  zanzibar: Pick<Zanzibar, 'listObjectsPage'>,
  options: ObjectFilterOptions<unknown>,
): Promise<ObjectFilter> {
  const ids = await objectIds(zanzibar, options)
  // A list without elements is no SQL.
  return (column) => (ids.length === 0 ? sql`1 = 0` : sql`${column} in ${[...ids]}`)
}

export type { ObjectFilterOptions } from './object-ids.ts'
