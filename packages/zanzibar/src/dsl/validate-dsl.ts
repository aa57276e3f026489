import type { Position } from '../errors.ts'
import { lintModel, type Problem } from '../model/lint-model.ts'
import { readDocument } from './document.ts'
import { modelOf } from './parse-model.ts'
import { findPlace } from './places.ts'
import type { SyntaxNode } from './syntax-tree.ts'
import { type Place, toldPlaces } from './told-place.ts'

/**
 * All that is wrong with a model in the DSL: its syntax, or where that is right, what makes no sense in it. Kinds, words and places are those
 * of OpenFGA's tools.
 */
export function validateDsl(text: string): readonly Position[] {
  const document = readDocument(text)
  if (document.positions.length > 0) return document.positions
  const toldPlace = toldPlaces(text)
  return lintModel(modelOf(document)).map((problem) =>
    positionAt(toldPlace(problem) ?? findPlace(document.tree, problem.subject, problem.symbol), problem),
  )
}

/** Where a problem is in what was read of a text; its beginning, where it is about the whole. */
export function positionOf(problem: Problem, tree: SyntaxNode): Position {
  return positionAt(findPlace(tree, problem.subject, problem.symbol), problem)
}

function positionAt(place: Place | undefined, { kind, message, symbol }: Problem): Position {
  const { line, column } = place ?? { line: 0, column: 0 }
  const end = place === undefined ? column : column + symbol.length
  return { kind, message, line: { start: line, end: line }, column: { start: column, end } }
}
