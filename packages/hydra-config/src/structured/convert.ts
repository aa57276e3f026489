import { parsePythonFloat, parsePythonInt } from '../override/python-numbers.ts'
import { pythonString } from '../value/python-string.ts'
import { pythonType } from '../value/python-type.ts'
import { changed, shownText } from '../value/secret.ts'
import { type EnumType, memberOf, type ScalarType, typeText, type UnionType } from '../value/typing.ts'
import type { Scalar, ScalarValue, Value } from '../value/value.ts'
import { typedError } from './typed-error.ts'

/** Strings that stand for no value of their own: `???`, and what has an interpolation in it. */
export function isSpecialText(value: Scalar): value is string {
  return typeof value === 'string' && (value === '???' || value.includes('${'))
}

/**
 * A value that is not null as a type takes it: `'5'` for an `int` becomes 5.
 * @throws {HydraConfigError} `CONFIG_INVALID` of class `ValidationError`, or `UnsupportedValueType`
 */
export function convert(type: ScalarType | UnionType, value: Value, path: string): ScalarValue {
  if (value.kind !== 'scalar') {
    if (type.kind === 'any')
      throw typedError('UnsupportedValueType', `${path}: a ${value.kind} is no scalar`, { path })
    throw refused(type, value, path)
  }
  const converted = type.kind === 'union' ? ofUnion(type, value) : ofScalar(type, value)
  if (converted === undefined) throw refused(type, value, path)
  return converted
}

function refused(type: ScalarType | UnionType, value: Value, path: string): Error {
  return typedError('ValidationError', problemOf(type, shownText(value), pythonType(value)), {
    path,
    origin: value.origin,
  })
}

const typeNames = { int: 'Integer', float: 'Float', bytes: 'Bytes', path: 'Path' } as const

/** In OmegaConf's words. */
function problemOf(type: ScalarType | UnionType, text: string, kind: string): string {
  if (type.kind === 'enum') {
    return `Invalid value '${text}', expected one of [${[...type.members.keys()].join(', ')}]`
  }
  if (type.kind === 'bool') return `Value '${text}' is not a valid bool (type ${kind})`
  if (type.kind === 'str') return `Cannot convert '${kind}' to string: '${text}'`
  if (type.kind === 'union' || type.kind === 'any') {
    return `Value '${text}' of type '${kind}' is incompatible with type hint '${typeText({ type, optional: false })}'`
  }
  return `Value '${text}' of type '${kind}' could not be converted to ${typeNames[type.kind]}`
}

function ofUnion({ members }: UnionType, value: ScalarValue): ScalarValue | undefined {
  return members.some((type) => isOf(type, value)) ? changed(value, {}) : undefined
}

/** Whether the value is of the type as it is. */
function isOf(type: ScalarType, { value, as }: ScalarValue): boolean {
  if (type.kind === 'enum' || type.kind === 'path') return as === (type.kind === 'path' ? 'path' : type)
  return type.kind === 'any' || (as === undefined && kindOf(value) === type.kind)
}

function kindOf(value: Scalar): 'int' | 'float' | 'bool' | 'str' | 'bytes' | 'null' {
  if (value === null) return 'null'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'float'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'string' ? 'str' : 'bytes'
}

function ofScalar(type: ScalarType, given: ScalarValue): ScalarValue | undefined {
  if (type.kind === 'any') return given
  if (type.kind === 'enum') return ofEnum(type, given)
  const { as } = given
  if (type.kind === 'path') {
    if (as === 'path') return given
    return as === undefined && typeof given.value === 'string'
      ? changed(given, { value: pathText(given.value), as: 'path' })
      : undefined
  }
  if (type.kind === 'str') {
    return given.value instanceof Uint8Array
      ? undefined
      : changed(given, { value: pythonString(given), as: undefined })
  }
  const value = as === undefined ? numberOf(type.kind, given.value) : undefined
  return value === undefined ? undefined : changed(given, { value })
}

function numberOf(kind: 'int' | 'float' | 'bool' | 'bytes', value: Scalar): Scalar | undefined {
  switch (kind) {
    case 'int':
      if (typeof value === 'string') return parsePythonInt(value)
      return typeof value === 'bigint' ? value : undefined
    case 'float':
      if (typeof value === 'string') return parsePythonFloat(value)
      return typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : undefined
    case 'bool':
      return booleanOf(value)
    case 'bytes':
    default:
      return value instanceof Uint8Array ? value : undefined
  }
}

const words: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['y', true],
  ['on', true],
  ['true', true],
  ['no', false],
  ['n', false],
  ['off', false],
  ['false', false],
])

function booleanOf(value: Scalar): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (typeof value === 'bigint') return value !== 0n
  if (typeof value !== 'string') return undefined
  const number = parsePythonInt(value)
  return number === undefined ? words.get(value.toLowerCase()) : number !== 0n
}

function ofEnum(type: EnumType, given: ScalarValue): ScalarValue | undefined {
  const { value, as } = given
  if (as !== undefined) return as === type ? given : undefined
  if (typeof value === 'bigint') return memberNamed(type, memberOf(type, value), given)
  if (typeof value !== 'string') return undefined
  return memberNamed(
    type,
    value.startsWith(`${type.name}.`) ? value.slice(type.name.length + 1) : value,
    given,
  )
}

function memberNamed(type: EnumType, name: string | undefined, given: ScalarValue): ScalarValue | undefined {
  const value = name === undefined ? undefined : type.members.get(name)
  // A second name of one value is an alias of the first.
  const first = value === undefined ? undefined : memberOf(type, value)
  return first === undefined ? undefined : changed(given, { value: first, as: type })
}

/** As `pathlib.PurePosixPath` writes a path: no empty parts, no `.`, two leading slashes kept. */
function pathText(text: string): string {
  const slashes = /^\/*/.exec(text)?.[0].length ?? 0
  const root = slashes === 2 ? '//' : slashes > 0 ? '/' : ''
  const parts = text.split('/').filter((part) => part !== '' && part !== '.')
  return `${root}${parts.join('/')}` || '.'
}
