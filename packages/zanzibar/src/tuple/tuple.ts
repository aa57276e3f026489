/** A relationship: `user` has `relation` to `object`. */
export interface TupleKey {
  /** `type:id`, `type:*` or `type:id#relation`. */
  readonly user: string
  readonly relation: string
  /** `type:id`. */
  readonly object: string
}

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** The values of a condition's parameters. */
export type Context = Readonly<Record<string, Json>>

/** What must hold for a tuple to count. */
export interface TupleCondition {
  readonly name: string
  readonly context?: Context | undefined
}

/** A tuple, with what it is bound to. */
export interface Tuple extends TupleKey {
  readonly condition?: TupleCondition | undefined
}
