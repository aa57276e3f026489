import type { Json } from '../tuple/tuple.ts'
import type { AuthorizationModel } from './authorization-model.ts'
import type { Definitions, Direct, From } from './define-model.ts'

type ScalarType =
  | 'any'
  | 'bool'
  | 'string'
  | 'int'
  | 'uint'
  | 'double'
  | 'duration'
  | 'timestamp'
  | 'ipaddress'

/** The type of a condition's parameter, as the DSL writes it. */
export type ParameterTypeText = ScalarType | `list<${ScalarType}>` | `map<${ScalarType}>`

/** Conditions by name. */
export type ConditionDefinitions = Readonly<
  Record<
    string,
    { readonly parameters: Readonly<Record<string, ParameterTypeText>>; readonly expression: string }
  >
>

export declare const definitions: unique symbol
declare const conditions: unique symbol

/** A model that knows its types: see `defineModel`. */
export interface TypedModel<D extends Definitions, C extends ConditionDefinitions = never>
  extends AuthorizationModel {
  /** For the compiler only. */
  readonly [definitions]?: D
  readonly [conditions]?: C
}

type Key<T> = keyof T & string

/** `type:id` of any type of the model. */
export type ObjectRef<D extends Definitions> = `${Key<D>}:${string}`

/** `type:*`. */
export type WildcardRef<D extends Definitions> = `${Key<D>}:*`

/** `type:id#relation`. */
export type UsersetRef<D extends Definitions> = { [T in Key<D>]: `${T}:${string}#${Key<D[T]>}` }[Key<D>]

/** Whoever a question may be about. */
export type Subject<D extends Definitions> = ObjectRef<D> | WildcardRef<D> | UsersetRef<D>

/** The relations of the type of an object. */
export type RelationOf<D extends Definitions, O extends string> = O extends `${infer T}:${string}`
  ? T extends Key<D>
    ? Key<D[T]>
    : never
  : never

/** `[user, relation, object]`, as the model defines them. */
export type TypedTriple<D extends Definitions> = {
  [T in Key<D>]: readonly [user: Subject<D>, relation: Key<D[T]>, object: `${T}:${string}`]
}[Key<D>]

/** A tuple of what the model defines, with a condition of the model. */
export type TypedTuple<D extends Definitions, C extends ConditionDefinitions> = {
  [T in Key<D>]: {
    readonly user: Subject<D>
    readonly relation: Key<D[T]>
    readonly object: `${T}:${string}`
    readonly condition?: TypedCondition<C> | undefined
    readonly expiresAt?: number | undefined
  }
}[Key<D>]

type TypedCondition<C extends ConditionDefinitions> = [C] extends [never]
  ? never
  : { [N in Key<C>]: { readonly name: N; readonly context?: ContextOf<Pick<C, N>> | undefined } }[Key<C>]

/** The users that a filter of a list names. */
export type UserOf<F extends string> = F extends `${infer T}#${infer R}`
  ? `${T}:${string}#${R}`
  : `${F}:${string}`

/** The users that a filter of a list may name. */
export type UserFilter<D extends Definitions> = Key<D> | { [T in Key<D>]: `${T}#${Key<D[T]>}` }[Key<D>]

interface ScalarValues {
  readonly any: Json
  readonly bool: boolean
  readonly string: string
  readonly int: number | string
  readonly uint: number | string
  readonly double: number | string
  readonly duration: string
  readonly timestamp: string
  readonly ipaddress: string
}

type ParameterValue<T extends string> = T extends keyof ScalarValues
  ? ScalarValues[T]
  : T extends `list<${infer I extends keyof ScalarValues}>`
    ? readonly ScalarValues[I][]
    : T extends `map<${infer I extends keyof ScalarValues}>`
      ? Readonly<Record<string, ScalarValues[I]>>
      : never

type UnionToIntersection<U> = (U extends unknown ? (of: U) => void : never) extends (of: infer I) => void
  ? I
  : never

/** Values for the parameters of all conditions of a model. */
export type ContextOf<C extends ConditionDefinitions> = [C] extends [never]
  ? Readonly<Record<string, never>>
  : Partial<
      UnionToIntersection<
        {
          [N in keyof C]: { [P in keyof C[N]['parameters']]: ParameterValue<C[N]['parameters'][P] & string> }
        }[keyof C]
      >
    >

type User<D extends Definitions, C> =
  | UserShape<D>
  | ([C] extends [never] ? never : `${UserShape<D>} with ${Key<C>}`)
type UserShape<D extends Definitions> =
  | Key<D>
  | `${Key<D>}:*`
  | { [T in Key<D>]: `${T}#${Key<D[T]>}` }[Key<D>]

/** The definitions with, in the place of each that is wrong, what would be right there. */
export type CheckedDefinitions<D extends Definitions, C> = {
  readonly [T in keyof D]: { readonly [R in keyof D[T]]: CheckedDefinition<D, C, D[T], D[T][R]> }
}

type CheckedDefinition<D extends Definitions, C, Type, Given> = Given extends string
  ? Given extends Key<Type>
    ? Given
    : Key<Type>
  : Given extends { readonly direct: readonly (infer U)[] }
    ? [U] extends [User<D, C>]
      ? Given
      : Direct<User<D, C>>
    : Given extends { readonly from: readonly [infer Relation, infer Tupleset] }
      ? [Tupleset] extends [Key<Type>]
        ? [Relation] extends [RelationBehind<D, Type[Tupleset]>]
          ? Given
          : From<RelationBehind<D, Type[Tupleset]>, Tupleset>
        : From<string, Key<Type>>
      : Given extends { readonly operands: infer Operands }
        ? {
            readonly operator: unknown
            readonly operands: { readonly [I in keyof Operands]: CheckedDefinition<D, C, Type, Operands[I]> }
          }
        : never

/** The relations of the types that a tupleset leads to. */
type RelationBehind<D extends Definitions, Tupleset> = Tupleset extends {
  readonly direct: readonly (infer U)[]
}
  ? TypeOf<U> extends infer T
    ? T extends Key<D>
      ? Key<D[T]>
      : never
    : never
  : never

type TypeOf<U> = U extends `${infer T} with ${string}` ? T : U
