import type { AuthorizationModel } from '../model/authorization-model.ts'
import type { Context, Tuple, TupleKey } from '../tuple/tuple.ts'
import type { Snapshot, Wanted } from './snapshot.ts'

/** A store: a space of models, tuples and assertions of its own. Times are milliseconds since 1970. */
export interface StoreRecord {
  readonly id: string
  readonly name: string
  readonly createdAt: number
  readonly updatedAt: number
}

/** A model as it was written. Models never change. */
export interface StoredModel {
  readonly id: string
  readonly model: AuthorizationModel
}

/** A question with the answer that a model is to give. */
export interface Assertion {
  readonly tuple: TupleKey
  readonly expectation: boolean
  readonly contextualTuples?: readonly Tuple[] | undefined
  readonly context?: Context | undefined
}

/** A tuple, and when it was written. */
export interface StoredTuple {
  readonly tuple: Tuple
  readonly timestamp: number
  readonly expiresAt?: number | undefined
}

/** A tuple to be written; with `expiresAt` (milliseconds since 1970) it does not count from then on. */
export interface TupleToWrite extends Tuple {
  readonly expiresAt?: number | undefined
}

/**
 * Which tuples. What is not given may be anything; `object` is `type:id` or, for all of a type, `type:`; `user` is a user
 * or, for all of a type, `type:`.
 */
export interface TupleFilter {
  readonly object?: string | undefined
  readonly relation?: string | undefined
  readonly user?: string | undefined
}

/** What must hold at the moment of the write. */
export interface Precondition {
  readonly filter: TupleFilter
  /** Whether a tuple like that must be there, or none. */
  readonly exists: boolean
}

/** Changes that are made together or not at all: removals first. */
export interface WriteRequest {
  readonly deletes?: readonly TupleKey[] | undefined
  readonly writes?: readonly TupleToWrite[] | undefined
  /** Removes every tuple that fits one of these. */
  readonly removeWhere?: readonly TupleFilter[] | undefined
  readonly preconditions?: readonly Precondition[] | undefined
  /** What to do with a tuple that is there already. Default: `error`. One with another condition is an error also where ignored. */
  readonly onDuplicate?: 'error' | 'ignore' | undefined
  /** What to do with a tuple to delete that is not there. Default: `error`. */
  readonly onMissing?: 'error' | 'ignore' | undefined
}

export interface WriteAnswer {
  /** That of the write; that of the store, where nothing was changed. */
  readonly revision: number
  readonly written: number
  readonly deleted: number
}

/** A change as it was committed. */
export interface Change {
  readonly operation: 'write' | 'delete'
  /** Without its condition where it was deleted. */
  readonly tuple: Tuple
  readonly expiresAt?: number | undefined
  readonly revision: number
  readonly timestamp: number
  /** Where it stands among the changes of its store: a whole number that grows by commit, and is never taken twice. Not without holes. */
  readonly position: number
}

export interface ChangesRequest {
  /** The position of the last change that is known; 0 for all. */
  readonly after?: number | undefined
  /** Only what was committed after this revision. */
  readonly afterRevision?: number | undefined
  /** Only what was committed at this time or later. */
  readonly startTime?: number | undefined
  /** Only changes of objects of this type. */
  readonly type?: string | undefined
  readonly limit: number
}

/** A part of a list. */
export interface Page<Item> {
  readonly items: readonly Item[]
  /** What to give as `after` for the next page; undefined at the end. */
  readonly next: string | undefined
}

export interface PageRequest {
  readonly limit: number
  readonly after?: string | undefined
}

export interface SnapshotOptions {
  /** The latest one where it is not given. */
  readonly revision?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** What will be asked for first: a store that fetches brings it to hand in the same round trip. */
  readonly first?: (() => Wanted) | undefined
}

/**
 * Where stores, models and tuples are kept. Every method is one atomic operation. All that name a store throw
 * ZanzibarError `store_id_not_found` where there is none.
 *
 * A store's revision is 0 when it is new and one more with each write that changed something. It is given within the lock
 * that orders the commits: whoever sees a revision sees everything up to it.
 */
export interface TupleStore extends AsyncDisposable {
  /** What tells this storage from every other one; tokens are bound to it. */
  readonly identity: Uint8Array

  createStore(name: string): Promise<StoreRecord>
  getStore(storeId: string): Promise<StoreRecord | undefined>
  /** In the order of their making; those of that name only, where it is given. */
  listStores(request: PageRequest & { readonly name?: string | undefined }): Promise<Page<StoreRecord>>
  /** Nothing happens where there is no such store. */
  deleteStore(storeId: string): Promise<void>

  /** Keeps a model, which must be valid, and gives its id. */
  writeModel(storeId: string, model: AuthorizationModel): Promise<string>
  /** That model, or the one written last. */
  readModel(storeId: string, modelId?: string): Promise<StoredModel | undefined>
  /** The newest first. */
  listModels(storeId: string, request: PageRequest): Promise<Page<StoredModel>>

  /** Takes the place of the assertions that were there. */
  writeAssertions(storeId: string, modelId: string, assertions: readonly Assertion[]): Promise<void>
  readAssertions(storeId: string, modelId: string): Promise<readonly Assertion[]>

  /**
   * Applies a request that was looked at by {@link checkWrite}.
   *
   * @throws ZanzibarError `write_failed_due_to_invalid_input` for a tuple that is there already, or is not;
   *   `Aborted` for one that is there with another condition, a precondition that does not hold, a write at the same moment
   */
  write(storeId: string, request: WriteRequest): Promise<WriteAnswer>
  /** Tuples in the order of their writing. */
  read(storeId: string, filter: TupleFilter, request: PageRequest): Promise<Page<StoredTuple>>
  /**
   * Changes in the order of their commits: nothing is ever put before what was given. From the beginning they make up the
   * tuples that are there, whatever was forgotten.
   *
   * @throws ZanzibarError `token_expired` where a change after that moment was forgotten
   */
  changes(storeId: string, request: ChangesRequest): Promise<readonly Change[]>

  /**
   * The tuples as they were at a revision, to be released by the caller. Stores in the process answer at once, without a promise.
   *
   * @throws ZanzibarError `token_from_the_future` for a revision that is not there yet, `token_expired` for one no longer kept
   */
  snapshot(storeId: string, options?: SnapshotOptions): Snapshot | Promise<Snapshot>
  /** Where writes are up to. */
  revision(storeId: string): number | Promise<number>
  /**
   * Waits until the store's revision is above `revision`, or may be, or a tuple expires: who waits looks again. A hint, which
   * may be lost or come for nothing.
   */
  changed(storeId: string, revision: number, signal?: AbortSignal): Promise<void>
}
