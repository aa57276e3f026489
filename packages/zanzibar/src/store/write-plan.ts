import { ZanzibarError } from '../errors.ts'
import type { Json, Tuple, TupleCondition, TupleKey } from '../tuple/tuple.ts'
import type { TupleToWrite, WriteRequest } from './tuple-store.ts'

/** What a write does to what is stored. */
export interface WritePlan<Stored> {
  /** What to remove, each once. */
  readonly removed: readonly Stored[]
  readonly written: readonly TupleToWrite[]
}

/** What a plan needs to know of the tuples that count at the moment. */
export interface Present<Stored> {
  find(key: TupleKey): Stored | undefined
  conditionOf(stored: Stored): TupleCondition | undefined
  /** What fits one of the request's filters of removal. */
  readonly filtered: Iterable<Stored>
}

/**
 * Decides a write, for every kind of store: removals first, then what is written.
 *
 * @throws ZanzibarError as {@link TupleStore.write} says
 */
export function planWrite<Stored>(
  { deletes = [], writes = [], onDuplicate = 'error', onMissing = 'error' }: WriteRequest,
  present: Present<Stored>,
): WritePlan<Stored> {
  const removed = new Set<Stored>()
  for (const key of deletes) {
    const stored = present.find(key)
    if (stored !== undefined) removed.add(stored)
    else if (onMissing === 'error') throw unfit('cannot delete a tuple which does not exist', key)
  }
  for (const stored of present.filtered) removed.add(stored)
  const written: TupleToWrite[] = []
  for (const tuple of writes) {
    const stored = present.find(tuple)
    if (stored === undefined || removed.has(stored)) written.push(tuple)
    else if (onDuplicate === 'error') throw unfit('cannot write a tuple which already exists', tuple)
    else if (!sameCondition(present.conditionOf(stored), tuple.condition)) {
      throw new ZanzibarError(
        'Aborted',
        `transactional write failed due to conflict: attempted to write a tuple which already exists with a different condition: ${named(tuple)}`,
      )
    }
  }
  return { removed: [...removed], written }
}

/** @throws ZanzibarError `Aborted` */
export function refusePrecondition(index: number, exists: boolean): never {
  throw new ZanzibarError(
    'Aborted',
    `precondition ${index} does not hold: ${exists ? 'no tuple fits its filter, and one must' : 'a tuple fits its filter, and none may'}`,
  )
}

/** A condition without a context is one with an empty context. */
function sameCondition(a: TupleCondition | undefined, b: TupleCondition | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.name === b.name && canonicalJson(a.context ?? {}) === canonicalJson(b.context ?? {})
}

/** JSON with the keys of objects in order: the same text for the same value. */
export function canonicalJson(value: Json | object): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
}

function unfit(what: string, key: TupleKey): ZanzibarError {
  return new ZanzibarError(
    'write_failed_due_to_invalid_input',
    `${what}: ${named(key)}: tuple to be written already existed or the tuple to be deleted did not exist`,
  )
}

function named({ user, relation, object }: TupleKey): string {
  return `user: '${user}', relation: '${relation}', object: '${object}'`
}

/** A filter, its parts told apart. Undefined where a part may be anything. */
export interface FilterParts {
  readonly objectType: string | undefined
  readonly object: string | undefined
  readonly relation: string | undefined
  readonly userType: string | undefined
  readonly user: string | undefined
}

/** Reads a filter; an empty text is as good as none. */
export function filterParts({
  object = '',
  relation = '',
  user = '',
}: {
  readonly object?: string | undefined
  readonly relation?: string | undefined
  readonly user?: string | undefined
}): FilterParts {
  return {
    ...(object.endsWith(':')
      ? { objectType: object.slice(0, -1), object: undefined }
      : { objectType: undefined, object: object || undefined }),
    relation: relation || undefined,
    ...(user.endsWith(':')
      ? { userType: user.slice(0, -1), user: undefined }
      : { userType: undefined, user: user || undefined }),
  }
}

/** Whether a tuple fits. */
export function fits({ objectType, object, relation, userType, user }: FilterParts, tuple: Tuple): boolean {
  return (
    (object === undefined || tuple.object === object) &&
    (objectType === undefined || tuple.object.startsWith(`${objectType}:`)) &&
    (relation === undefined || tuple.relation === relation) &&
    (user === undefined || tuple.user === user) &&
    (userType === undefined || tuple.user.startsWith(`${userType}:`))
  )
}
