import { type Position, ZanzibarError } from '../errors.ts'
import type { AuthorizationModel } from '../model/authorization-model.ts'
import { type Document, readDocument } from './document.ts'

/**
 * Reads a model in OpenFGA's DSL (schema 1.1; 1.2 for one put together of modules). A single module is read too, its `schema_version` is
 * empty; `parseModules` makes a model of several. Whether the model makes sense is what `validateDsl` and the server tell.
 *
 * @throws {@link ZanzibarError} `invalid_syntax` with all that is wrong in `positions`, in the words of OpenFGA's parser, lines and columns
 *   counted from 0.
 */
export function parseModel(text: string): AuthorizationModel {
  const document = readDocument(text)
  throwProblems(document.positions)
  return modelOf(document)
}

/** The model that a document is. */
export function modelOf({ schemaVersion, types, conditions }: Document): AuthorizationModel {
  return {
    schema_version: schemaVersion ?? '',
    type_definitions: types,
    ...(conditions.size > 0 ? { conditions: Object.fromEntries(conditions) } : {}),
  }
}

/** Throws when there are any. */
export function throwProblems(positions: readonly Position[]): void {
  if (positions.length === 0) return
  const lines = positions.map(
    ({ message, line, column }) => `syntax error at line=${line.start}, column=${column.start}: ${message}`,
  )
  const count = `${lines.length} error${lines.length > 1 ? 's' : ''} occurred`
  throw new ZanzibarError('invalid_syntax', `${count}:\n\t* ${lines.join('\n\t* ')}\n\n`, { positions })
}
