import { delimited, type FieldType, invalid, varintSize } from './field-type.ts'
import type { Token } from './tokens.ts'

/** A pattern with the text that OpenFGA's messages show for it. */
export interface Pattern {
  readonly matches: (value: string) => boolean
  /** The regular expression as the proto has it. */
  readonly source: string
}

export interface StringRules {
  readonly pattern?: Pattern
  /** Bytes of UTF-8. */
  readonly maxBytes?: number
  readonly bytesBetween?: readonly [number, number]
  readonly oneOfValues?: readonly string[]
  /** Written even where it is empty and nothing else empty is. */
  readonly always?: boolean
  /** Nothing is looked at where it is empty. */
  readonly mayBeEmpty?: boolean
}

export function string(rules: StringRules = {}): FieldType<string> {
  return {
    absent: '',
    read: (reader, name) => {
      const token = reader.read()
      return token.kind === 'string' ? token.text : reader.fail(token, invalidValue('string', name, token))
    },
    problems: (value, place) => (rules.mayBeEmpty && value === '' ? [] : stringProblems(value, place, rules)),
    write: (value, empty) => (value === '' && !empty && rules.always !== true ? undefined : value),
    size: (value) => (value === '' ? 0 : delimited(Buffer.byteLength(value))),
  }
}

/** A string that is one of several fields of which one alone is set. */
export function stringInOneOf(oneOf: string, rules: StringRules = {}): FieldType<string | undefined> {
  const plain = string(rules)
  return {
    ...plain,
    absent: undefined,
    oneOf,
    problems: (value, place) => (value === undefined ? [] : plain.problems(value, place)),
    write: (value) => value,
    size: (value) => (value === undefined ? 0 : delimited(Buffer.byteLength(value))),
  }
}

function stringProblems(value: string, place: string, rules: StringRules): string[] {
  const { pattern, maxBytes, bytesBetween, oneOfValues } = rules
  const problems: string[] = []
  if (maxBytes !== undefined && Buffer.byteLength(value) > maxBytes)
    problems.push(invalid(place, `value length must be at most ${maxBytes} bytes`))
  if (bytesBetween !== undefined) {
    const [min, max] = bytesBetween
    const bytes = Buffer.byteLength(value)
    if (bytes < min || bytes > max)
      problems.push(invalid(place, `value length must be between ${min} and ${max} bytes, inclusive`))
  }
  if (oneOfValues !== undefined && !oneOfValues.includes(value))
    problems.push(invalid(place, `value must be in list [${oneOfValues.join(' ')}]`))
  if (pattern !== undefined && !pattern.matches(value))
    problems.push(invalid(place, `value does not match regex pattern ${JSON.stringify(pattern.source)}`))
  return problems
}

export function bool(): FieldType<boolean> {
  return {
    absent: false,
    read: (reader, name) => {
      const token = reader.read()
      return token.kind === 'bool'
        ? token.raw === 'true'
        : reader.fail(token, invalidValue('bool', name, token))
    },
    problems: () => [],
    write: (value, empty) => (value || empty ? value : undefined),
    size: (value) => (value ? 2 : 0),
  }
}

/** Numbers by their names. Reads a name or a number; of a name that is not known it is as if it were absent. */
export function enumeration<Name extends string>(
  numbers: Readonly<Record<Name, number>>,
  { always = false }: Pick<StringRules, 'always'> = {},
): FieldType<number> {
  const byName = new Map(Object.entries<number>(numbers))
  const names = new Map([...byName].map(([name, number]) => [number, name]))
  return {
    absent: 0,
    read: (reader, name) => {
      const token = reader.read()
      if (token.kind === 'string') return byName.get(token.text) ?? 0
      return int32Of(token) ?? reader.fail(token, invalidValue('enum', name, token))
    },
    problems: (value, place) =>
      names.has(value) ? [] : [invalid(place, 'value must be one of the defined enum values')],
    write: (value, empty) => (value === 0 && !empty && !always ? undefined : (names.get(value) ?? value)),
    // A negative number takes ten bytes.
    size: (value) => (value === 0 ? 0 : 1 + (value < 0 ? 10 : varintSize(value))),
  }
}

export interface IntegerRules {
  readonly min: number
  readonly max?: number
}

/** An integer that may be absent. */
export function optionalInt32({ min, max }: IntegerRules): FieldType<number | undefined> {
  const reason =
    max === undefined
      ? `value must be greater than or equal to ${min}`
      : `value must be inside range [${min}, ${max}]`
  return {
    absent: undefined,
    read: (reader) => {
      const token = reader.read()
      return integer(token) ?? reader.fail(token, invalidValue('int32', 'value', token))
    },
    problems: (value, place) =>
      value === undefined || (value >= min && value <= (max ?? value)) ? [] : [invalid(place, reason)],
    write: (value, empty) => value ?? (empty ? null : undefined),
    size: (value) => (value === undefined ? 0 : delimited(1 + varintSize(Math.max(value, 0)))),
  }
}

function integer(token: Token): number | undefined {
  if (token.kind === 'string')
    return /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(token.text) ? int32(Number(token.text)) : undefined
  return int32Of(token)
}

function int32Of(token: Token): number | undefined {
  return token.kind === 'number' ? int32(Number(token.raw)) : undefined
}

function int32(value: number): number | undefined {
  return Number.isInteger(value) && Math.abs(value + 0.5) < 2 ** 31 ? value : undefined
}

function invalidValue(kind: string, name: string, token: Token): string {
  return `invalid value for ${kind} field ${name}: ${token.raw}`
}
