import type { ObjectChanges } from './consistency/subscribe.ts'
import type { Definitions } from './model/define-model.ts'
import type {
  ConditionDefinitions,
  ContextOf,
  definitions,
  ObjectRef,
  RelationOf,
  Subject,
  TypedModel,
  UserFilter,
} from './model/typed-model.ts'
import type {
  CheckEvaluation,
  ObjectPage,
  QueryOptions,
  UserList,
  Zanzibar,
  ZanzibarOptions,
} from './zanzibar.ts'

/** Options of a question to a model whose conditions are known. */
export interface TypedQueryOptions<C extends ConditionDefinitions> extends Omit<QueryOptions, 'context'> {
  readonly context?: ContextOf<C>
}

/** Options of `openZanzibar` with a model of `defineModel`. */
export interface TypedZanzibarOptions<D extends Definitions, C extends ConditionDefinitions>
  extends Omit<ZanzibarOptions, 'model'> {
  readonly model: TypedModel<D, C>
}

/** A {@link Zanzibar} that takes only the types and relations of its model. */
export interface TypedZanzibar<D extends Definitions, C extends ConditionDefinitions>
  extends Omit<
    Zanzibar,
    | 'check'
    | 'checkSync'
    | 'evaluate'
    | 'listObjects'
    | 'listObjectsPage'
    | 'listUsers'
    | 'subscribe'
    | 'subscribeObjects'
  > {
  /** For the compiler only. */
  readonly [definitions]?: D
  check<const O extends ObjectRef<D>>(
    user: Subject<D>,
    relation: RelationOf<D, O>,
    object: O,
    options?: TypedQueryOptions<C>,
  ): Promise<boolean>
  checkSync<const O extends ObjectRef<D>>(
    user: Subject<D>,
    relation: RelationOf<D, O>,
    object: O,
    options?: Omit<TypedQueryOptions<C>, 'signal'>,
  ): boolean
  evaluate<const O extends ObjectRef<D>>(
    user: Subject<D>,
    relation: RelationOf<D, O>,
    object: O,
    options?: TypedQueryOptions<C>,
  ): Promise<CheckEvaluation>
  listObjects<const T extends keyof D & string>(
    user: Subject<D>,
    relation: keyof D[T] & string,
    type: T,
    options?: TypedQueryOptions<C>,
  ): AsyncIterable<string>
  listObjectsPage<const T extends keyof D & string>(
    user: Subject<D>,
    relation: keyof D[T] & string,
    type: T,
    options: TypedQueryOptions<C> & { readonly limit: number; readonly after?: string | undefined },
  ): Promise<ObjectPage>
  listUsers<const O extends ObjectRef<D>>(
    object: O,
    relation: RelationOf<D, O>,
    filter: UserFilter<D>,
    options?: TypedQueryOptions<C>,
  ): Promise<UserList>
  subscribe<const O extends ObjectRef<D>>(
    user: Subject<D>,
    relation: RelationOf<D, O>,
    object: O,
    options?: Pick<TypedQueryOptions<C>, 'context' | 'contextualTuples' | 'signal'>,
  ): AsyncIterable<boolean>
  subscribeObjects<const T extends keyof D & string>(
    user: Subject<D>,
    relation: keyof D[T] & string,
    type: T,
    options?: Pick<TypedQueryOptions<C>, 'context' | 'contextualTuples' | 'signal'>,
  ): AsyncIterable<ObjectChanges>
}
