import { ZanzibarError } from '../errors.ts'
import type { Context, Json, Tuple } from '../tuple/tuple.ts'
import { refuseUnknownProperties } from './known-properties.ts'

/** A store file of OpenFGA's tools (`.fga.yaml`): a model, tuples, and what they are to come to. */
export interface StoreFile {
  readonly name: string
  /** In the DSL. */
  readonly model: string | undefined
  /** A file in the DSL, in JSON, or `fga.mod`; beside the store file. */
  readonly modelFile: string | undefined
  readonly tuples: readonly Tuple[]
  readonly tupleFiles: readonly string[]
  readonly tests: readonly StoreTest[]
}

export interface StoreTest {
  readonly name: string
  readonly tuples: readonly Tuple[]
  readonly tupleFiles: readonly string[]
  readonly checks: readonly CheckExpectation[]
  readonly listObjects: readonly ListObjectsExpectation[]
  readonly listUsers: readonly ListUsersExpectation[]
}

interface CheckExpectation {
  readonly user: string
  readonly object: string
  readonly context: Context | undefined
  readonly relation: string
  /** Undefined where it is to depend on parameters that are not given. */
  readonly allowed: boolean | undefined
}

interface ListObjectsExpectation {
  readonly user: string
  readonly type: string
  readonly context: Context | undefined
  readonly relation: string
  readonly objects: readonly string[]
}

interface ListUsersExpectation {
  readonly object: string
  /** `type` or `type#relation`. */
  readonly filter: string
  readonly context: Context | undefined
  readonly relation: string
  readonly users: readonly string[]
}

/** Reads what YAML gave. @throws ZanzibarError `invalid_syntax`, naming the place that is not as it must be */
export function parseStoreFile(value: unknown): StoreFile {
  const file = fieldsOf(value, 'the file')
  refuseUnknownProperties(file)
  return {
    name: textOf(file['name'] ?? '', 'name'),
    model: optionalText(file['model'], 'model'),
    modelFile: optionalText(file['model_file'], 'model_file'),
    ...tuplesOf(file, ''),
    tests: listOf(file['tests'], 'tests').map((test, index) => testOf(test, `tests[${index}]`)),
  }
}

/** Reads a list of tuples. @throws ZanzibarError `invalid_syntax` */
export function parseTuples(value: unknown, place: string): Tuple[] {
  return listOf(value, place).map((each, index) => tupleOf(each, `${place}[${index}]`))
}

function testOf(value: unknown, place: string): StoreTest {
  const test = fieldsOf(value, place)
  const expectations = (key: string): Fields[] =>
    listOf(test[key], `${place}.${key}`).map((each, index) => fieldsOf(each, `${place}.${key}[${index}]`))
  return {
    name: textOf(test['name'] ?? '', `${place}.name`),
    ...tuplesOf(test, `${place}.`),
    checks: expectations('check').flatMap((each, index) => checksOf(each, `${place}.check[${index}]`)),
    listObjects: expectations('list_objects').flatMap((each, index) =>
      listedObjectsOf(each, `${place}.list_objects[${index}]`),
    ),
    listUsers: expectations('list_users').flatMap((each, index) =>
      listedUsersOf(each, `${place}.list_users[${index}]`),
    ),
  }
}

function checksOf(check: Fields, place: string): CheckExpectation[] {
  const context = contextOf(check['context'], `${place}.context`)
  const users = oneOrMore(check, 'user', place)
  const objects = oneOrMore(check, 'object', place)
  const assertions = Object.entries(fieldsOf(check['assertions'], `${place}.assertions`))
  return users.flatMap((user) =>
    objects.flatMap((object) =>
      assertions.map(([relation, expected]) => {
        if (typeof expected !== 'boolean') throw unfit(`${place}.assertions.${relation}`, 'true or false')
        return { user, object, context, relation, allowed: expected }
      }),
    ),
  )
}

function listedObjectsOf(list: Fields, place: string): ListObjectsExpectation[] {
  const user = textOf(list['user'], `${place}.user`)
  const type = textOf(list['type'], `${place}.type`)
  const context = contextOf(list['context'], `${place}.context`)
  return Object.entries(fieldsOf(list['assertions'], `${place}.assertions`)).map(([relation, expected]) => ({
    user,
    type,
    context,
    relation,
    objects: textsOf(expected, `${place}.assertions.${relation}`),
  }))
}

function listedUsersOf(list: Fields, place: string): ListUsersExpectation[] {
  const object = textOf(list['object'], `${place}.object`)
  const context = contextOf(list['context'], `${place}.context`)
  const [first] = listOf(list['user_filter'], `${place}.user_filter`)
  const filter = fieldsOf(first, `${place}.user_filter[0]`)
  const relationOfFilter = optionalText(filter['relation'], `${place}.user_filter[0].relation`) ?? ''
  const type = textOf(filter['type'], `${place}.user_filter[0].type`)
  return Object.entries(fieldsOf(list['assertions'], `${place}.assertions`)).map(([relation, expected]) => {
    const { users } = fieldsOf(expected, `${place}.assertions.${relation}`) as { users?: unknown }
    return {
      object,
      filter: relationOfFilter === '' ? type : `${type}#${relationOfFilter}`,
      context,
      relation,
      users: textsOf(users, `${place}.assertions.${relation}.users`),
    }
  })
}

function tuplesOf(fields: Fields, place: string): { tuples: Tuple[]; tupleFiles: string[] } {
  const file = optionalText(fields['tuple_file'], `${place}tuple_file`)
  const files = textsOf(fields['tuple_files'], `${place}tuple_files`)
  return {
    tuples: parseTuples(fields['tuples'], `${place}tuples`),
    tupleFiles: file === undefined ? files : [file, ...files],
  }
}

function tupleOf(value: unknown, place: string): Tuple {
  const fields = fieldsOf(value, place)
  const key = {
    user: textOf(fields['user'], `${place}.user`),
    relation: textOf(fields['relation'], `${place}.relation`),
    object: textOf(fields['object'], `${place}.object`),
  }
  if (fields['condition'] === undefined || fields['condition'] === null) return key
  const condition = fieldsOf(fields['condition'], `${place}.condition`)
  const name = textOf(condition['name'], `${place}.condition.name`)
  return {
    ...key,
    condition: { name, context: contextOf(condition['context'], `${place}.condition.context`) },
  }
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown, place: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unfit(place, 'a mapping')
  return { ...value }
}

function listOf(value: unknown, place: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw unfit(place, 'a list')
  return value
}

function textOf(value: unknown, place: string): string {
  // YAML takes `name: 1` for a number.
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'string') throw unfit(place, 'a text')
  return value
}

function textsOf(value: unknown, place: string): string[] {
  return listOf(value, place).map((each, index) => textOf(each, `${place}[${index}]`))
}

function optionalText(value: unknown, place: string): string | undefined {
  return value === undefined || value === null ? undefined : textOf(value, place)
}

/** `user` for one or `users` for more. */
function oneOrMore(fields: Fields, name: string, place: string): string[] {
  const one = optionalText(fields[name], `${place}.${name}`)
  const more = textsOf(fields[`${name}s`], `${place}.${name}s`)
  const all = one === undefined ? more : [one, ...more]
  if (all.length === 0) throw unfit(`${place}.${name}`, 'a text')
  return all
}

function contextOf(value: unknown, place: string): Context | undefined {
  if (value === undefined || value === null) return undefined
  const fields: Record<string, Json> = {}
  for (const [key, each] of Object.entries(fieldsOf(value, place)))
    fields[key] = jsonOf(each, `${place}.${key}`)
  return fields
}

/** What YAML has beyond JSON is a time, which is written as RFC 3339 has it. */
function jsonOf(value: unknown, place: string): Json {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map((each, index) => jsonOf(each, `${place}[${index}]`))
  return contextOf(value, place) ?? null
}

function unfit(place: string, what: string): ZanzibarError {
  return new ZanzibarError('invalid_syntax', `${place} must be ${what}`)
}
