import { lazy } from '../../lazy.ts'
import type { Json } from '../../tuple/tuple.ts'
import { delimited, type FieldType, invalid, invalidWithin, type ValueOf } from './field-type.ts'
import type { TokenReader } from './tokens.ts'

type Fields = Readonly<Record<string, FieldType<unknown>>>

/** The values of a message's fields by their names in JSON. */
export type Values<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> }

export type JsonObject = Readonly<Record<string, Json>>

/** A protobuf message. */
export interface Message<T> {
  read(reader: TokenReader): T
  /** What is wrong with its fields. */
  problems(value: T): readonly string[]
  write(value: T, empty: boolean): JsonObject
  size(value: T): number
}

/**
 * A message whose `fields` are named as JSON is written and stand in the order in which they are checked. Reading
 * takes snake_case and lowerCamel for each.
 */
export function message<F extends Fields>(name: string, fields: F): Message<Values<F>> {
  const entries = Object.entries(fields)
  const keys = lazy(
    () =>
      new Map(entries.flatMap(([key]) => [key, camel(key), snake(key)].map((each) => [each, key] as const))),
  )
  const checks = lazy(() => entries.map(([key, field]) => ({ key, field, place: `${name}.${goName(key)}` })))
  const absent = Object.fromEntries(entries.map(([key, field]) => [key, field.absent]))
  return {
    read: (reader) => {
      const values = { ...absent }
      readFields(reader, { keys: keys(), fields, values })
      // Each field of F has a value of its own.
      return values as Values<F>
    },
    problems: (value) => {
      let problems: readonly string[] = []
      for (const { key, field, place } of checks()) {
        const own = field.problems(value[key], place)
        if (own.length > 0) problems = [...problems, ...own]
      }
      return problems
    },
    write: (value, empty) => {
      const json: Record<string, Json> = emptyRecord()
      for (const [key, field] of entries) {
        const written = field.write(value[key], empty)
        if (written !== undefined) json[key] = written
      }
      return json
    },
    size: (value) => {
      let size = 0
      for (const [key, field] of entries) size += field.size(value[key])
      return size
    },
  }
}

interface Reading {
  readonly keys: ReadonlyMap<string, string>
  readonly fields: Fields
  readonly values: Record<string, unknown>
}

function readFields(reader: TokenReader, { keys, fields, values }: Reading): void {
  const seen: string[] = []
  eachName(reader, (token) => {
    const key = keys.get(token.text)
    const field = key === undefined ? undefined : fields[key]
    if (key === undefined || field === undefined) {
      reader.skip()
      return
    }
    if (seen.includes(key)) reader.fail(token, `duplicate field ${token.raw}`)
    seen.push(key)
    if (reader.peek().kind === 'null') {
      reader.read()
      return
    }
    if (field.oneOf !== undefined) {
      const group = `oneof ${field.oneOf}`
      if (seen.includes(group)) reader.fail(token, `error parsing ${token.raw}, ${group} is already set`)
      seen.push(group)
    }
    values[key] = field.read(reader, key)
  })
}

/** Goes through the names of an object; `visit` reads the value of each. */
export function eachName(reader: TokenReader, visit: (name: ReturnType<TokenReader['read']>) => void): void {
  reader.enter()
  const first = reader.read()
  if (first.kind !== 'objectOpen') reader.unexpected(first)
  for (;;) {
    const token = reader.read()
    if (token.kind === 'objectClose') break
    visit(token)
  }
  reader.leave()
}

export interface EmbeddedRules {
  readonly required?: boolean
  readonly oneOf?: string
}

/** A field that holds a message; `of` is asked for it late, so that messages can hold themselves. */
export function embedded<T>(
  of: () => Message<T>,
  { required = false, oneOf }: EmbeddedRules = {},
): FieldType<T | undefined> {
  return {
    absent: undefined,
    ...(oneOf !== undefined && { oneOf }),
    read: (reader) => of().read(reader),
    problems: (value, place) => {
      if (value === undefined) return required ? [invalid(place, 'value is required')] : []
      return invalidWithin(place, of().problems(value))
    },
    write: (value, empty) => {
      if (value !== undefined) return of().write(value, empty)
      return empty && oneOf === undefined ? null : undefined
    },
    size: (value) => (value === undefined ? 0 : delimited(of().size(value))),
  }
}

/** An object without a prototype, so that `__proto__` is a key like another. */
export function emptyRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>
}

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

function goName(key: string): string {
  const name = camel(key)
  return name.charAt(0).toUpperCase() + name.slice(1)
}
