import { ZanzibarError } from '../errors.ts'

/** The properties of a mapping, or of each mapping of a list, with those of what is below. */
interface Shape {
  readonly [property: string]: Shape | undefined
}

const anything = undefined

const tuple: Shape = {
  user: anything,
  relation: anything,
  object: anything,
  condition: { name: anything, context: anything },
}

const tupleSource: Shape = { tuple_file: anything, tuple_files: anything, tuples: tuple }

// As OpenFGA's schema of store files, with what its command takes beside it.
const storeFile: Shape = {
  name: anything,
  model: anything,
  model_file: anything,
  ...tupleSource,
  tests: {
    name: anything,
    description: anything,
    ...tupleSource,
    check: {
      user: anything,
      users: anything,
      object: anything,
      objects: anything,
      context: anything,
      assertions: anything,
    },
    list_objects: {
      user: anything,
      relation: anything,
      type: anything,
      context: anything,
      assertions: anything,
    },
    list_users: {
      object: anything,
      user_filter: { type: anything, relation: anything },
      context: anything,
      assertions: anything,
    },
  },
}

/**
 * A misspelt property would be a test that tests nothing.
 *
 * @throws ZanzibarError `invalid_syntax` naming all properties that a store file does not have
 */
export function refuseUnknownProperties(file: unknown): void {
  const unknown = unknownProperties(file, storeFile, '')
  if (unknown.length === 0) return
  const said = unknown.map((place) => `${place} is not a property of store files`)
  throw new ZanzibarError('invalid_syntax', said.join('; '))
}

function unknownProperties(value: unknown, shape: Shape, place: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value))
    return value.flatMap((item, index) => unknownProperties(item, shape, `${place}[${index}]`))
  return Object.entries(value).flatMap(([property, below]): readonly string[] => {
    const at = place === '' ? property : `${place}.${property}`
    if (!Object.hasOwn(shape, property)) return [at]
    const of = shape[property]
    return of === undefined ? [] : unknownProperties(below, of, at)
  })
}
