import { ZanzibarError } from '../../errors.ts'
import type { AuthorizationModel } from '../../model/authorization-model.ts'
import { splitUser } from '../../tuple/object.ts'
import type { Context, Json, Tuple, TupleKey } from '../../tuple/tuple.ts'
import type { StoreFile } from '../store-file.ts'
import { parseSpiceDbSchema } from './schema.ts'

/** A validation file of SpiceDB (`authzed/spicedb:pkg/validationfile`), as a model, tuples and tests. */
export interface SpiceDbValidation {
  readonly model: AuthorizationModel
  readonly file: StoreFile
}

/** Whether what YAML gave is a validation file of SpiceDB, and none of OpenFGA's. */
export function isSpiceDbValidation(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('schema' in value || 'schemaFile' in value)
}

/** The file that has its schema, beside it; undefined where it has it itself. */
export function spiceDbSchemaFile(value: unknown): string | undefined {
  const file: unknown = Reflect.get(Object(value), 'schemaFile')
  return typeof file === 'string' ? file : undefined
}

/**
 * Reads what YAML gave. `expectedRelations` (`validation`) is not looked at.
 *
 * @param schema the text of its `schemaFile`, where it has one
 * @throws ZanzibarError `invalid_syntax`, naming the place that is not as it must be, or cannot be said in a model
 */
export function parseSpiceDbValidation(value: unknown, schema?: string): SpiceDbValidation {
  const fields: Readonly<Record<string, unknown>> = Object(value)
  const model = parseSpiceDbSchema(schema ?? textOf(fields['schema'], 'schema'))
  const lines = textOf(fields['relationships'] ?? '', 'relationships').split('\n')
  const tuples = lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('//'))
    .map(relationshipOf)
  const assertions: Readonly<Record<string, unknown>> = Object(fields['assertions'] ?? {})
  const checks = (
    [
      ['assertTrue', true],
      ['assertFalse', false],
      ['assertCaveated', undefined],
    ] as const
  ).flatMap(([name, allowed]) =>
    listOf(assertions[name], name).map((each) => ({ ...assertionOf(each, name), allowed })),
  )
  const test = { name: 'assertions', tuples: [], tupleFiles: [], checks, listObjects: [], listUsers: [] }
  const file = { name: '', model: undefined, modelFile: undefined, tuples, tupleFiles: [], tests: [test] }
  return { model, file }
}

/** `type:id#relation@type:id[#relation][caveat:{…}]`. */
function relationshipOf(line: string): Tuple {
  const bracket = line.indexOf('[')
  const key = keyOf(bracket === -1 ? line : line.slice(0, bracket), line)
  if (bracket === -1) return key
  const caveat = line.slice(bracket + 1, -1)
  if (!line.endsWith(']') || caveat.includes('][') || caveat.startsWith('expiration:'))
    throw unfit(line, 'no relationship with at most one caveat, and none that expires')
  const colon = caveat.indexOf(':')
  if (colon === -1) return { ...key, condition: { name: caveat } }
  return {
    ...key,
    condition: { name: caveat.slice(0, colon), context: contextOf(caveat.slice(colon + 1), line) },
  }
}

/** A relationship, or `… with {…}`. */
function assertionOf(value: unknown, name: string): TupleKey & { readonly context: Context | undefined } {
  const text = textOf(value, name)
  const mark = text.indexOf(' with ')
  if (mark === -1) return { ...keyOf(text, text), context: undefined }
  return { ...keyOf(text.slice(0, mark), text), context: contextOf(text.slice(mark + ' with '.length), text) }
}

function keyOf(text: string, whole: string): TupleKey {
  const at = text.indexOf('@')
  const { object, relation } = splitUser(text.slice(0, Math.max(at, 0)).trim())
  const user = text.slice(at + 1).trim()
  if (at === -1 || relation === '' || !object.includes(':') || !user.includes(':'))
    throw unfit(whole, 'no type:id#relation@type:id')
  return { user: user.endsWith('#...') ? user.slice(0, -'#...'.length) : user, relation, object }
}

function contextOf(text: string, whole: string): Context {
  try {
    const value: Json = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Context
  } catch (cause) {
    throw unfit(whole, 'no JSON as its context', cause)
  }
  throw unfit(whole, 'no object as its context')
}

function listOf(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new ZanzibarError('invalid_syntax', `assertions.${name} must be a list`)
  return value
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new ZanzibarError('invalid_syntax', `${name} must be a text`)
  return value
}

function unfit(text: string, what: string, cause?: unknown): ZanzibarError {
  return new ZanzibarError('invalid_syntax', `'${text}' is ${what}`, { cause })
}
