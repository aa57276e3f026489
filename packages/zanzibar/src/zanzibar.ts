import type { ObjectChanges } from './consistency/subscribe.ts'
import type { Token } from './consistency/token.ts'
import type { ZanzibarEvent } from './events.ts'
import type { UsersetTree } from './graph/expand.ts'
import type { Explanation } from './graph/explain.ts'
import type { ListedUsers } from './graph/list-users.ts'
import type { ClosureIndexOptions } from './leopard/closure-index.ts'
import { type Limits, openFgaLimits } from './limits.ts'
import type { AuthorizationModel } from './model/authorization-model.ts'
import type { Semantics } from './model/type-system.ts'
import type { Clock } from './ports.ts'
import type {
  Change,
  Precondition,
  StoredTuple,
  TupleFilter,
  TupleStore,
  TupleToWrite,
} from './store/tuple-store.ts'
import type { Context } from './tuple/tuple.ts'

/** OpenFGA's limits, but for those that would make an answer incomplete: how deep a question may lead, how long a list may be and may take. */
export const zanzibarLimits: Limits = {
  ...openFgaLimits,
  maxTuplesPerWrite: 10_000,
  resolveNodeLimit: Number.POSITIVE_INFINITY,
  listObjectsMaxResults: 0,
  listObjectsDeadline: 0,
  listUsersMaxResults: 0,
  listUsersDeadline: 0,
}

/** Options of {@link openZanzibar}. */
export interface ZanzibarOptions {
  /** In the DSL, or as JSON of OpenFGA's API. Becomes the store's latest model, where it is not already. */
  readonly model: string | AuthorizationModel
  /** Default: a new one in memory. */
  readonly store?: TupleStore
  /** Which of the store's spaces of tuples; made where there is none of that name. Default: `default`. */
  readonly name?: string
  /** What is not given is as in {@link zanzibarLimits}. */
  readonly limits?: Partial<Limits>
  /** Default: `openfga-v1`. */
  readonly semantics?: Semantics
  /**
   * Whether an index is kept in memory of which groups, folders and the like lead to which, so that a check does not walk
   * along them however deep they nest. It is read from the store before this opens, and follows all that is written, by whom
   * ever; until it has, checks walk. Default: false.
   */
  readonly closureIndex?: boolean | ClosureIndexOptions
  /** Milliseconds that a question waits for the moment of its `atLeast`. Default: 5000. */
  readonly tokenWait?: number
  /** Is told of every question, and when the closure index is given up. */
  readonly onEvent?: (event: ZanzibarEvent) => void
  readonly clock?: Clock
}

/** What a question may be given beside itself. */
export interface QueryOptions {
  /** Values of the parameters of conditions; those of a tuple come first. */
  readonly context?: Context
  /** Tuples that are there for this question only. */
  readonly contextualTuples?: readonly TupleOrTriple[]
  /** Answers as of this moment, or a later one. */
  readonly atLeast?: Token
  /** Answers as of this very moment. */
  readonly exactly?: Token
  readonly signal?: AbortSignal
}

/** A tuple, or `[user, relation, object]`. */
export type TupleOrTriple = TupleToWrite | readonly [user: string, relation: string, object: string]

/** What a check comes to, in full. */
export interface CheckEvaluation {
  /** `conditional`: it depends on parameters that were not given. */
  readonly outcome: 'allowed' | 'denied' | 'conditional'
  /** The parameters that were not given. */
  readonly missing: readonly string[]
  /** The moment that it was answered for. */
  readonly token: Token
}

/** Changes that are made together or not at all: removals first. */
export interface ZanzibarWrite {
  readonly add?: readonly TupleOrTriple[]
  readonly remove?: readonly TupleOrTriple[]
  /** Removes every tuple that fits one of these. */
  readonly removeWhere?: readonly TupleFilter[]
  /** What must hold at the moment of the write. */
  readonly if?: readonly Precondition[]
  /** Default: `error`. */
  readonly onDuplicate?: 'error' | 'ignore'
  /** Default: `error`. */
  readonly onMissing?: 'error' | 'ignore'
}

/** One page of a list. */
export interface ObjectPage<ObjectName extends string = string> {
  readonly objects: readonly ObjectName[]
  /** What to give as `after` for the next page, which is of the same moment; undefined at the end. */
  readonly next: string | undefined
  readonly token: Token
}

/** Who has a relation. */
export interface UserList<User extends string = string> extends ListedUsers<User> {
  /** The moment that it was answered for. */
  readonly token: Token
}

/** Where a watch begins, and what it gives. Default: all that was ever changed, as far as the store keeps it. */
export interface WatchFrom {
  /** The `position` of the last change that is known. */
  readonly after?: number
  /** Only what was changed after this moment. */
  readonly from?: Token
  /** Only changes of objects of these types. */
  readonly types?: readonly string[]
  /** Ends the watch, without an error. */
  readonly signal?: AbortSignal
}

/** A change, and the moment from which on it is seen. */
export interface WatchedChange extends Change {
  readonly token: Token
}

/** Authorization of one store by one model. */
export interface Zanzibar extends AsyncDisposable {
  readonly storeId: string
  readonly modelId: string
  /**
   * Whether `user` has `relation` to `object`.
   *
   * @throws ZanzibarError `validation_error` for what the model does not define, and where a condition cannot be evaluated
   */
  check(user: string, relation: string, object: string, options?: QueryOptions): Promise<boolean>
  /**
   * The same at once: only for stores in the process.
   *
   * @throws ZanzibarError `invalid_option` where the answer takes a promise: the store is a server, or the question is long
   */
  checkSync(user: string, relation: string, object: string, options?: Omit<QueryOptions, 'signal'>): boolean
  /** The same with three outcomes, and the moment it was answered for. */
  evaluate(user: string, relation: string, object: string, options?: QueryOptions): Promise<CheckEvaluation>
  /**
   * Why: the way to a yes, or what blocks it or would be enough for it. Asks many checks, so for people and not for requests.
   *
   * @throws ZanzibarError as `check`
   */
  explain(user: string, relation: string, object: string, options?: QueryOptions): Promise<Explanation>
  /** Several at one moment, answered in order. */
  checkMany(
    questions: readonly (readonly [user: string, relation: string, object: string])[],
    options?: QueryOptions,
  ): Promise<readonly boolean[]>
  /** All objects of a type that a user has a relation to, at one moment, in the order of their names. */
  listObjects(user: string, relation: string, type: string, options?: QueryOptions): AsyncIterable<string>
  /**
   * At most `limit` of them; all pages are of one moment.
   *
   * @throws ZanzibarError `invalid_continuation_token` for an `after` of another list
   */
  listObjectsPage(
    user: string,
    relation: string,
    type: string,
    options: QueryOptions & { readonly limit: number; readonly after?: string | undefined },
  ): Promise<ObjectPage>
  /**
   * Who has a relation to an object, at one moment.
   *
   * @param filter `type`, or `type#relation` for usersets
   */
  listUsers(object: string, relation: string, filter: string, options?: QueryOptions): Promise<UserList>
  /** How a relation of an object comes about, by `depth` levels of tuples (default: 1). Conditions are not looked at. */
  expand(
    object: string,
    relation: string,
    options?: Omit<QueryOptions, 'context'> & { readonly depth?: number },
  ): Promise<UsersetTree>
  /**
   * Whether `user` has `relation` to `object`: now, and whenever a write or a tuple's expiry makes it another answer. Expiry is
   * told when it is due; on SQLite and PostgreSQL, with the store's next `poll`.
   */
  subscribe(
    user: string,
    relation: string,
    object: string,
    options?: Pick<QueryOptions, 'context' | 'contextualTuples' | 'signal'>,
  ): AsyncIterable<boolean>
  /**
   * All objects of a type that `user` has a relation to, as `added`, and then what writes and expiry add to them and remove from them.
   * Where several writes come between two looks, what only held between them is not told.
   */
  subscribeObjects(
    user: string,
    relation: string,
    type: string,
    options?: Pick<QueryOptions, 'context' | 'contextualTuples' | 'signal'>,
  ): AsyncIterable<ObjectChanges>
  /** Changes in the order of their commits, each once, and then as they come. */
  watch(options?: WatchFrom): AsyncIterable<WatchedChange>
  /** @returns the moment from which on the changes are seen */
  write(changes: ZanzibarWrite): Promise<{ readonly token: Token }>
  /** Stored tuples that fit, in the order of their writing. */
  read(filter?: TupleFilter): AsyncIterable<StoredTuple>
}
