import type { Value } from './value.ts'

/** A node of a parsed expression; `at` is its place in the source, as an index of UTF-16 units. */
export type Expression =
  | LiteralExpression
  | IdentifierExpression
  | SelectExpression
  | CallExpression
  | ListExpression
  | MapExpression
  | MessageExpression
  | Comprehension

interface LiteralExpression {
  readonly kind: 'literal'
  readonly at: number
  readonly value: Value
}

export interface IdentifierExpression {
  readonly kind: 'identifier'
  readonly at: number
  /** With a leading dot where the source has one: then no variable of a macro hides it. */
  readonly name: string
}

export interface SelectExpression {
  readonly kind: 'select'
  readonly at: number
  readonly operand: Expression
  readonly field: string
  /** Of `has(operand.field)`. */
  readonly testOnly: boolean
}

export interface CallExpression {
  readonly kind: 'call'
  readonly at: number
  /** An operator has cel-go's name, as `_+_` and `@in` (`google/cel-go:common/operators`). */
  readonly function: string
  readonly target: Expression | undefined
  readonly arguments: readonly Expression[]
}

interface ListExpression {
  readonly kind: 'list'
  readonly at: number
  readonly elements: readonly Expression[]
}

export interface MapExpression {
  readonly kind: 'map'
  readonly at: number
  readonly entries: readonly { readonly key: Expression; readonly value: Expression }[]
}

/** A message literal, `name{field: value}`. */
interface MessageExpression {
  readonly kind: 'message'
  readonly at: number
  readonly name: string
  readonly fields: readonly { readonly at: number; readonly name: string; readonly value: Expression }[]
}

/** What the macros all, exists, exists_one, map and filter become. */
export interface Comprehension {
  readonly kind: 'comprehension'
  readonly at: number
  readonly range: Expression
  readonly variable: string
  readonly initial: Expression
  readonly condition: Expression
  readonly step: Expression
  readonly result: Expression
}

/** The name of a comprehension's result in its own parts; no source can write it. */
export const accumulator = '@result'
