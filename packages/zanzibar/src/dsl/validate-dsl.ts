import type { Position } from '../errors.ts'
import { lintModel, type Problem } from '../model/lint-model.ts'
import { readDocument } from './document.ts'
import { modelOf } from './parse-model.ts'
import { findPlace } from './places.ts'
import type { SyntaxNode } from './syntax-tree.ts'

/**
 * All that is wrong with a model in the DSL: its syntax, or where that is right, what makes no sense in it. Kinds, words and places are those
 * of OpenFGA's tools.
 */
export function validateDsl(text: string): readonly Position[] {
  const document = readDocument(text)
  if (document.positions.length > 0) return document.positions
  return lintModel(modelOf(document)).map((problem) => positionOf(problem, document.tree))
}

/** Where a problem is in a text; its beginning, where it is about the whole. */
export function positionOf({ kind, message, symbol, subject }: Problem, tree: SyntaxNode): Position {
  const place = findPlace(tree, subject, symbol)
  const { line, column } = place ?? { line: 0, column: 0 }
  const end = place === undefined ? column : column + symbol.length
  return { kind, message, line: { start: line, end: line }, column: { start: column, end } }
}
