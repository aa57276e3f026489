import type { Place } from '../value/place.ts'
import type { Value } from '../value/value.ts'
import type { KeyPath } from './split-key.ts'

/** A text with gaps for what the steps before leave on the stack. */
export interface Template {
  /** Undefined for a gap. */
  readonly parts: readonly (string | undefined)[]
  readonly gaps: number
}

/** One step of a compiled expression: it takes its operands from a stack and leaves its result there. */
export type Step =
  | { readonly op: 'literal'; readonly value: Value }
  /** Follows a path. */
  | { readonly op: 'node'; readonly path: KeyPath }
  /** Follows a path that is known only when its parts are. */
  | { readonly op: 'joined node'; readonly template: Template }
  /** Refuses what is no text on top of the stack, for it is to be a key or a part of a resolver's name. */
  | { readonly op: 'text only' }
  | Combination
  | CallStep

/** Makes one value of the last operands. */
export type Combination =
  | { readonly op: 'text'; readonly template: Template; readonly count: number }
  | Collection

/** A list or dict of arguments. */
export interface Collection {
  readonly op: 'collection'
  readonly count: number
  make(operands: readonly Place[]): Value
}

/** Calls a resolver. */
export interface CallStep {
  readonly op: 'call'
  readonly name: Template
  /** The arguments as they are written. */
  readonly sources: readonly string[]
}

/** An expression as steps in the order of evaluation, so that evaluating needs no recursion. */
export type Program = readonly Step[]

/** What needs no parser: most interpolations are `${a.b}`. */
export const simplePath: RegExp = /^\$\{([\w-]+(?:\.[\w-]+)*)\}$/

/** The program of `${a.b}`; undefined for what needs a parser. */
export function simpleProgram(text: string): Program | undefined {
  const written = simplePath.exec(text)?.[1]
  if (written === undefined) return undefined
  return [{ op: 'node', path: { written, above: undefined, keys: written.split('.') } }]
}
