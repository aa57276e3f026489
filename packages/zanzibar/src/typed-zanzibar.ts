import type { ObjectChanges } from './consistency/subscribe.ts'
import type { UsersetTree } from './graph/expand.ts'
import type { Explanation } from './graph/explain.ts'
import type { Definitions } from './model/define-model.ts'
import type {
  ConditionDefinitions,
  ContextOf,
  definitions,
  ObjectRef,
  RelationOf,
  Subject,
  TypedModel,
  TypedTriple,
  TypedTuple,
  UserFilter,
  UserOf,
} from './model/typed-model.ts'
import type { StoredTuple, TupleFilter } from './store/tuple-store.ts'
import type { Tuple } from './tuple/tuple.ts'
import type {
  CheckEvaluation,
  ObjectPage,
  QueryOptions,
  UserList,
  WatchedChange,
  WatchFrom,
  Zanzibar,
  ZanzibarOptions,
  ZanzibarWrite,
} from './zanzibar.ts'

/** Options of a question to a model whose types and conditions are known. */
export interface TypedQueryOptions<D extends Definitions, C extends ConditionDefinitions>
  extends Omit<QueryOptions, 'context' | 'contextualTuples'> {
  readonly context?: ContextOf<C>
  readonly contextualTuples?: readonly (TypedTuple<D, C> | TypedTriple<D>)[]
}

/** A {@link ZanzibarWrite} that adds what the model defines. What it removes may be of an earlier model. */
export interface TypedWrite<D extends Definitions, C extends ConditionDefinitions>
  extends Omit<ZanzibarWrite, 'add'> {
  readonly add?: readonly (TypedTuple<D, C> | TypedTriple<D>)[]
}

/** Options of `openZanzibar` with a model of `defineModel`. */
export interface TypedZanzibarOptions<D extends Definitions, C extends ConditionDefinitions>
  extends Omit<ZanzibarOptions, 'model'> {
  readonly model: TypedModel<D, C>
}

/** A {@link Zanzibar} that takes only the types and relations of its model. */
export interface TypedZanzibar<D extends Definitions, C extends ConditionDefinitions>
  extends Pick<Zanzibar, 'storeId' | 'modelId' | typeof Symbol.asyncDispose> {
  /** For the compiler only. */
  readonly [definitions]?: D
  check<const O extends ObjectRef<D>>(
    user: Subject<D>,
    relation: RelationOf<D, O>,
    object: O,
    options?: TypedQueryOptions<D, C>,
  ): Promise<boolean>
  checkSync<const O extends ObjectRef<D>>(
    user: Subject<D>,
    relation: RelationOf<D, O>,
    object: O,
    options?: Omit<TypedQueryOptions<D, C>, 'signal'>,
  ): boolean
  evaluate<const O extends ObjectRef<D>>(
    user: Subject<D>,
    relation: RelationOf<D, O>,
    object: O,
    options?: TypedQueryOptions<D, C>,
  ): Promise<CheckEvaluation>
  explain<const O extends ObjectRef<D>>(
    user: Subject<D>,
    relation: RelationOf<D, O>,
    object: O,
    options?: TypedQueryOptions<D, C>,
  ): Promise<Explanation>
  checkMany(
    questions: readonly TypedTriple<D>[],
    options?: TypedQueryOptions<D, C>,
  ): Promise<readonly boolean[]>
  listObjects<const T extends keyof D & string>(
    user: Subject<D>,
    relation: keyof D[T] & string,
    type: T,
    options?: TypedQueryOptions<D, C>,
  ): AsyncIterable<`${T}:${string}`>
  listObjectsPage<const T extends keyof D & string>(
    user: Subject<D>,
    relation: keyof D[T] & string,
    type: T,
    options: TypedQueryOptions<D, C> & { readonly limit: number; readonly after?: string | undefined },
  ): Promise<ObjectPage<`${T}:${string}`>>
  listUsers<const O extends ObjectRef<D>, const F extends UserFilter<D>>(
    object: O,
    relation: RelationOf<D, O>,
    filter: F,
    options?: TypedQueryOptions<D, C>,
  ): Promise<UserList<UserOf<F>>>
  expand<const O extends ObjectRef<D>>(
    object: O,
    relation: RelationOf<D, O>,
    options?: Omit<TypedQueryOptions<D, C>, 'context'> & { readonly depth?: number },
  ): Promise<UsersetTree>
  subscribe<const O extends ObjectRef<D>>(
    user: Subject<D>,
    relation: RelationOf<D, O>,
    object: O,
    options?: Pick<TypedQueryOptions<D, C>, 'context' | 'contextualTuples' | 'signal'>,
  ): AsyncIterable<boolean>
  subscribeObjects<const T extends keyof D & string>(
    user: Subject<D>,
    relation: keyof D[T] & string,
    type: T,
    options?: Pick<TypedQueryOptions<D, C>, 'context' | 'contextualTuples' | 'signal'>,
  ): AsyncIterable<ObjectChanges<`${T}:${string}`>>
  watch(options?: TypedWatchFrom<D>): AsyncIterable<WatchedChange>
  write(changes: TypedWrite<D, C>): ReturnType<Zanzibar['write']>
  read<const F extends TypedTupleFilter<D>>(filter?: F): AsyncIterable<FoundTuple<F>>
}

/** A {@link WatchFrom} of types of the model. */
export interface TypedWatchFrom<D extends Definitions> extends Omit<WatchFrom, 'types'> {
  readonly types?: readonly (keyof D & string)[]
}

/** A {@link TupleFilter} of what the model defines. */
export type TypedTupleFilter<D extends Definitions> = {
  [T in keyof D & string]: {
    readonly object?: `${T}:${string}` | undefined
    readonly relation?: (keyof D[T] & string) | undefined
    readonly user?: Subject<D> | undefined
  }
}[keyof D & string]

/** A stored tuple, of the types that its filter names. What that leaves open may be of an earlier model. */
export interface FoundTuple<F extends TupleFilter> extends StoredTuple {
  readonly tuple: Tuple & {
    readonly object: SameType<F['object']>
    readonly relation: F['relation'] extends string ? F['relation'] : string
    readonly user: SameType<F['user']>
  }
}

type SameType<Name extends string | undefined> = Name extends `${infer T}:${string}`
  ? `${T}:${string}`
  : string
