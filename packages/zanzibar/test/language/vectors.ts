import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const root = join(import.meta.dirname, '../../../../../shared/vectors/openfga')

/** Why the vectors of OpenFGA cannot be used; false when they can. */
export const missingVectors: string | false = existsSync(root)
  ? false
  : 'the vectors of OpenFGA are not beside the repository'
if (missingVectors !== false) console.warn(`SKIPPED: ${missingVectors}`)

export function vectorPath(path: string): string {
  return join(root, path)
}

/** The text of a file; empty where there are no vectors. */
export function vectorText(path: string): string {
  return missingVectors === false ? readFileSync(join(root, path), 'utf8') : ''
}

/** The names in a folder; none where there are no vectors. */
export function vectorNames(folder: string): readonly string[] {
  return missingVectors === false && existsSync(join(root, folder))
    ? readdirSync(join(root, folder)).toSorted()
    : []
}

export const hasVector = (path: string): boolean => missingVectors === false && existsSync(join(root, path))

/** A place and what is wrong there, as the vectors say it. */
export interface ExpectedError {
  readonly msg: string
  readonly file?: string
  readonly line?: { readonly start: number; readonly end: number }
  readonly column?: { readonly start: number; readonly end: number }
  readonly metadata?: { readonly symbol?: string; readonly errorType?: string }
}

export interface ErrorCase {
  readonly name: string
  readonly dsl: string
  readonly json: string
  readonly modFile: string
  readonly skip?: boolean
  readonly valid?: boolean
  readonly error_message?: string
  readonly expected_errors?: readonly ExpectedError[] | null
}

/** A YAML file. */
export function vector(path: string): unknown {
  return parse(vectorText(path))
}

/** The error cases of a YAML file; none where there are no vectors. */
export function vectorCases(path: string): readonly ErrorCase[] {
  return missingVectors === false ? parse(vectorText(path)) : []
}

/** Without what protobuf-JSON leaves out: nulls, and empty strings, lists and objects that say nothing. Keys are sorted. */
export function canonical(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => canonical(item))
  if (typeof value !== 'object' || value === null) return value
  const says = (name: string, item: unknown): boolean =>
    item !== undefined &&
    item !== null &&
    item !== '' &&
    (name === 'this' || name === 'wildcard' || !isEmpty(item))
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, item]) => [name, canonical(item, name)] as const)
      .filter(([name, item]) => key === 'relations' || says(name, item))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
