import type { Json } from '../../tuple/tuple.ts'
import { delimited, type FieldType, invalid, invalidWithin } from './field-type.ts'
import { eachName, emptyRecord, type Message } from './message.ts'
import type { Pattern } from './scalars.ts'
import type { TokenReader } from './tokens.ts'

export interface ListRules {
  /** Written even where it is empty and nothing else empty is. */
  readonly always?: boolean
  readonly min?: number
  readonly max?: number
}

export function list<T>(of: () => Message<T>, rules: ListRules = {}): FieldType<readonly T[]> {
  return {
    absent: [],
    read: (reader) => elements(reader, () => of().read(reader)),
    problems: (values, place) => [
      ...countProblems(values.length, rules).map((reason) => invalid(place, reason)),
      ...values.flatMap((value, index) => invalidWithin(`${place}[${index}]`, of().problems(value))),
    ],
    write: (values, empty) =>
      values.length === 0 && !empty && rules.always !== true
        ? undefined
        : values.map((value) => of().write(value, empty)),
    size: (values) => values.reduce((size, value) => size + delimited(of().size(value)), 0),
  }
}

function elements<T>(reader: TokenReader, read: () => T): readonly T[] {
  const first = reader.read()
  if (first.kind !== 'arrayOpen') reader.unexpected(first)
  const values: T[] = []
  while (reader.peek().kind !== 'arrayClose') values.push(read())
  reader.read()
  return values
}

function countProblems(count: number, { min = 0, max = Number.POSITIVE_INFINITY }: ListRules): string[] {
  if (count >= min && count <= max) return []
  if (min === max) return [`value must contain exactly ${min} item(s)`]
  return [
    count < min
      ? `value must contain at least ${min} item(s)`
      : `value must contain no more than ${max} item(s)`,
  ]
}

export interface MapRules {
  readonly maxPairs?: number
  readonly keys?: Pattern
}

/** A map from names to messages. */
export function map<T>(
  of: () => Message<T>,
  { maxPairs, keys }: MapRules = {},
): FieldType<Readonly<Record<string, T>>> {
  const pairSize = ([key, value]: readonly [string, T]): number =>
    delimited(delimited(Buffer.byteLength(key)) + delimited(of().size(value)))
  return {
    absent: emptyRecord(),
    read: (reader) => readMap(reader, () => of().read(reader)),
    problems: (values, place) => {
      const pairs = Object.entries(values).toSorted(([a], [b]) => byBytes(a, b))
      const problems = pairs.flatMap(([name, value]) => [
        ...keyProblems(name, place, keys),
        ...invalidWithin(`${place}[${name}]`, of().problems(value)),
      ])
      if (maxPairs === undefined || pairs.length <= maxPairs) return problems
      return [invalid(place, `value must contain no more than ${maxPairs} pair(s)`), ...problems]
    },
    write: (values, empty) => {
      const pairs = Object.entries(values).toSorted(([a], [b]) => byBytes(a, b))
      if (pairs.length === 0 && !empty) return undefined
      const json: Record<string, Json> = emptyRecord()
      for (const [name, value] of pairs) json[name] = of().write(value, empty)
      return json
    },
    size: (values) => Object.entries(values).reduce((size, pair) => size + pairSize(pair), 0),
  }
}

function keyProblems(name: string, place: string, keys: Pattern | undefined): string[] {
  if (keys === undefined || keys.matches(name)) return []
  return [invalid(`${place}[${name}]`, `value does not match regex pattern ${JSON.stringify(keys.source)}`)]
}

/** An object read as a map: a name twice is refused. */
export function readMap<T>(reader: TokenReader, read: () => T): Record<string, T> {
  const values: Record<string, T> = emptyRecord()
  eachName(reader, (token) => {
    if (token.text in values) reader.fail(token, `duplicate map key ${token.raw}`)
    values[token.text] = read()
  })
  return values
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
