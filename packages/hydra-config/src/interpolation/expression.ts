import type { Scalar } from '../value/value.ts'

/** `${a.b}`, `${..a}`, `${a[0]}`: parts are joined to a path when it is resolved. */
interface NodeInterpolation {
  readonly kind: 'node'
  readonly parts: readonly (string | Interpolation)[]
}

/** `${name:argument,…}`; parts of the name are joined by dots. */
interface ResolverInterpolation {
  readonly kind: 'resolver'
  readonly name: readonly (string | Interpolation)[]
  readonly arguments: readonly Argument[]
}

/** An argument, and how it is written. */
export interface Argument {
  readonly value: Expression
  readonly source: string
}

export type Interpolation = NodeInterpolation | ResolverInterpolation

/** Text with interpolations in it; always a string when resolved. */
interface TextExpression {
  readonly kind: 'text'
  readonly parts: readonly (string | Interpolation)[]
}

/** What can be resolved to a value. */
export type Expression =
  | Interpolation
  | TextExpression
  | { readonly kind: 'literal'; readonly value: Scalar }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'dict'; readonly pairs: readonly (readonly [Expression, Expression])[] }
