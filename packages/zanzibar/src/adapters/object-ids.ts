import { ZanzibarError } from '../index.ts'
import type { QueryOptions, Zanzibar } from '../zanzibar.ts'

/** Whose objects, and how many of them a query may be given. */
export interface ObjectFilterOptions<Id> extends QueryOptions {
  /** As `user:anne`. */
  readonly user: string
  readonly relation: string
  /** Of the objects: `document`. */
  readonly type: string
  /** The id of an object, as its column has it. Default: the text behind `type:`. */
  readonly id?: (id: string) => Id
  /** The most objects that go into a query. Default: 1000. */
  readonly max?: number
}

/**
 * The ids of all objects that a user has a relation to, in the order of their names.
 *
 * @throws ZanzibarError `exceeded_entity_limit` where there are more than `max`; `invalid_option`, and those of the list
 */
export async function objectIds<Id>(
  zanzibar: Pick<Zanzibar, 'listObjectsPage'>,
  { user, relation, type, id, max = 1000, ...options }: ObjectFilterOptions<Id>,
): Promise<readonly (string | Id)[]> {
  if (!Number.isSafeInteger(max) || max < 1) {
    throw new ZanzibarError('invalid_option', `max must be a whole number of objects, 1 or more, not ${max}`)
  }
  const { objects, next } = await zanzibar.listObjectsPage(user, relation, type, { ...options, limit: max })
  if (next !== undefined) {
    throw new ZanzibarError(
      'exceeded_entity_limit',
      `${user} has the relation ${relation} to more than ${max} objects of type ${type}, too many for a query: raise max, or check the rows that the query finds`,
    )
  }
  const ids = objects.map((object) => object.slice(type.length + 1))
  return id === undefined ? ids : ids.map((each) => id(each))
}
