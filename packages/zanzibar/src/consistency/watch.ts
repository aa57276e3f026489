import { isZanzibarError, ZanzibarError } from '../errors.ts'
import type { Change, TupleStore } from '../store/tuple-store.ts'
import { typeOf } from '../tuple/object.ts'

/** Where a watch begins, and what it gives. */
export interface WatchOptions {
  /** The position of the last change that is known. */
  readonly after?: number | undefined
  /** Only what was committed after this revision. */
  readonly afterRevision?: number | undefined
  /** Only changes of objects of these types. */
  readonly types?: readonly string[] | undefined
  /** Ends the watch, without an error. */
  readonly signal?: AbortSignal | undefined
}

const pageSize = 1000

/**
 * The changes of a store in the order of their commits, from the beginning or a position on, and then as they come: each once,
 * none left out. Who stops goes on later from the position of the last change. Ends with its signal; where nobody asks for the
 * next change, none is read.
 *
 * @throws ZanzibarError `invalid_option` for an `after` that is no position of this store, `token_expired` where changes after
 *   it were forgotten, `store_id_not_found`, also where the store is deleted meanwhile
 */
export async function* watch(
  store: Pick<TupleStore, 'changes' | 'changed' | 'revision'>,
  storeId: string,
  { after, afterRevision, types, signal }: WatchOptions = {},
): AsyncGenerator<Change, void, undefined> {
  const isOver = (): boolean => signal?.aborted ?? false
  if (after !== undefined && after !== 0) await checkPosition(store, storeId, after)
  let position = after
  while (!isOver()) {
    // Asked before the changes: what comes after that is waited for in vain by nobody.
    const revision = await store.revision(storeId)
    const changes = await store.changes(storeId, { after: position, afterRevision, limit: pageSize })
    for (const change of changes) {
      if (isOver()) return
      if (types === undefined || types.includes(typeOf(change.tuple.object))) yield change
    }
    position = changes.at(-1)?.position ?? position
    if (changes.length === pageSize) continue
    try {
      await store.changed(storeId, revision, signal)
    } catch (error) {
      if (!isOver()) throw error
    }
  }
}

/** After a position that no change has come to, changes would be passed over in silence until one does. */
async function checkPosition(
  store: Pick<TupleStore, 'changes'>,
  storeId: string,
  after: number,
): Promise<void> {
  if (!Number.isSafeInteger(after)) throw noPosition(after)
  let next: Change | undefined
  try {
    ;[next] = await store.changes(storeId, { after: after - 1, limit: 1 })
  } catch (error) {
    // Forgotten up to there: whether the rest is there is told by who reads it.
    if (isZanzibarError(error) && error.code === 'token_expired') return
    throw error
  }
  // Negative ones name a single change, where a store gives them at all.
  if (next === undefined || (after < 0 && next.position !== after)) throw noPosition(after)
}

function noPosition(after: number): ZanzibarError {
  return new ZanzibarError(
    'invalid_option',
    `no change of this store has come to position ${after}; give that of the last change that is known, or 0 for all`,
  )
}
