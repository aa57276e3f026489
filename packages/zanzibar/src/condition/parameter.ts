import type { ParameterType, ParameterTypeName } from '../model/authorization-model.ts'
import type { Json } from '../tuple/tuple.ts'
import { CelError } from './cel-error.ts'
import { parseDecimal } from './decimal.ts'
import { formatDouble } from './double.ts'
import { parseDuration } from './duration.ts'
import { parseIpAddress } from './ip-address.ts'
import { parseTimestamp } from './timestamp.ts'
import {
  anyType,
  boolType,
  doubleType,
  durationType,
  intType,
  ipAddressType,
  listOf,
  mapOf,
  stringType,
  type Type,
  timestampType,
  uintType,
} from './type.ts'
import { Uint } from './uint.ts'
import { CelMap, type Value } from './value.ts'

/** A type that a parameter can have: as the checker knows it, and how a JSON value becomes one of it. */
export interface Parameter {
  readonly type: Type
  /** An error says why the value is none of this type. */
  readonly cast: (value: Json) => Value
}

/** A string where `declared` is no type. */
export function decodeParameter(declared: ParameterType): Parameter | string {
  const { type_name: name, generic_types: generics = [] } = declared
  const known = simple.get(name)
  const isContainer = name === 'TYPE_NAME_LIST' || name === 'TYPE_NAME_MAP'
  if (known === undefined && !isContainer) return `unknown condition parameter type \`${name}\``
  const wanted = isContainer ? 1 : 0
  if (generics.length !== wanted)
    return `condition parameter type \`${name}\` requires ${wanted} generic types; found ${generics.length}`
  if (known !== undefined) return known
  const [generic] = generics
  const element = generic === undefined ? 'no generic type' : decodeParameter(generic)
  if (typeof element === 'string') return element
  return name === 'TYPE_NAME_LIST' ? listParameter(element) : mapParameter(element)
}

const simple: ReadonlyMap<ParameterTypeName, Parameter> = new Map<ParameterTypeName, Parameter>([
  ['TYPE_NAME_ANY', { type: anyType, cast: valueOf }],
  [
    'TYPE_NAME_BOOL',
    { type: boolType, cast: (value) => (typeof value === 'boolean' ? value : wrongType('bool', value)) },
  ],
  [
    'TYPE_NAME_STRING',
    { type: stringType, cast: (value) => (typeof value === 'string' ? value : wrongType('string', value)) },
  ],
  ['TYPE_NAME_INT', { type: intType, cast: castInt }],
  ['TYPE_NAME_UINT', { type: uintType, cast: castUint }],
  ['TYPE_NAME_DOUBLE', { type: doubleType, cast: castDouble }],
  [
    'TYPE_NAME_DURATION',
    {
      type: durationType,
      cast: fromText('a duration string', 'a valid duration string, but found:', parseDuration),
    },
  ],
  [
    'TYPE_NAME_TIMESTAMP',
    {
      type: timestampType,
      cast: fromText(
        'RFC 3339 formatted timestamp string',
        'RFC 3339 formatted timestamp string, but found',
        parseTimestamp,
      ),
    },
  ],
  [
    'TYPE_NAME_IPADDRESS',
    {
      type: ipAddressType,
      cast: fromText('an ipaddress string', 'a well-formed IP address, but found:', parseIpAddress),
    },
  ],
])

function fromText(
  wanted: string,
  wellFormed: string,
  parse: (text: string) => Value | undefined,
): Parameter['cast'] {
  return (value) => {
    if (typeof value !== 'string')
      return new CelError(`expected ${wanted}, but found: ${goTypeOf(value)} '${goText(value)}'`)
    return parse(value) ?? new CelError(`expected ${wellFormed} '${value}'`)
  }
}

function listParameter(element: Parameter): Parameter {
  return {
    type: listOf(element.type),
    cast: (value) => {
      if (!Array.isArray(value)) return new CelError(`list requires a list, found: ${goTypeOf(value)}`)
      const elements: Value[] = []
      for (const [index, each] of value.entries()) {
        const cast = element.cast(each)
        if (cast instanceof CelError)
          return new CelError(`found an invalid list item at index \`${index}\`: ${cast.message}`)
        elements.push(cast)
      }
      return elements
    },
  }
}

function mapParameter(element: Parameter): Parameter {
  return {
    type: mapOf(stringType, element.type),
    cast: (value) => {
      if (!isRecord(value)) return new CelError(`map requires a map, found: ${goTypeOf(value)}`)
      const made = new CelMap()
      for (const [key, each] of Object.entries(value)) {
        const cast = element.cast(each)
        if (cast instanceof CelError)
          return new CelError(`found an invalid value for key '${key}': ${cast.message}`)
        made.set(key, cast)
      }
      return made
    },
  }
}

function isRecord(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** As CEL sees JSON; every number is a double. */
function valueOf(value: Json): Value {
  if (typeof value !== 'object' || value === null) return value
  if (!isRecord(value)) return value.map(valueOf)
  const made = new CelMap()
  for (const [key, each] of Object.entries(value)) made.set(key, valueOf(each))
  return made
}

const maxInt = 2n ** 63n - 1n
const minInt = -(2n ** 63n)

function castInt(value: Json): Value {
  const exact = wholeNumber('int64', 'an int', value)
  return typeof exact === 'bigint' ? clamp(exact) : exact
}

function castUint(value: Json): Value {
  const exact = wholeNumber('uint64', 'a uint', value)
  if (typeof exact !== 'bigint') return exact
  return exact < 0n
    ? new CelError(`expected a uint value, but found int64 value '${shorten(Number(exact))}'`)
    : new Uint(clamp(exact))
}

// OpenFGA goes through an int64 for both types.
function clamp(value: bigint): bigint {
  return value > maxInt ? maxInt : value < minInt ? minInt : value
}

function wholeNumber(type: string, wanted: string, value: Json): bigint | CelError {
  if (typeof value !== 'number' && typeof value !== 'string') return wrongType(type, value)
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  const parsed = typeof value === 'number' ? value : parseDecimal(value)
  if (parsed === undefined)
    return new CelError(`expected a ${type} value, but found invalid string value '${value}'`)
  if (typeof parsed !== 'number' && parsed.whole !== undefined) return parsed.whole
  const shown = typeof parsed === 'number' ? shorten(parsed) : parsed.text
  return new CelError(`expected ${wanted} value, but found numeric value '${shown}'`)
}

function castDouble(value: Json): Value {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return wrongType('float64', value)
  const parsed = parseDecimal(value)
  if (parsed === undefined)
    return new CelError(`expected a float64 value, but found invalid string value '${value}'`)
  return parsed.double ?? new CelError(`number cannot be represented as a float64: ${parsed.text}`)
}

/** Ten digits, as Go shows a big number. */
function shorten(value: number): string {
  return formatDouble(Number(value.toPrecision(10)), 10)
}

function wrongType(wanted: string, value: Json): CelError {
  return new CelError(
    `expected type value '${wanted}', but found '${value === null ? '%!s(<nil>)' : goTypeOf(value)}'`,
  )
}

/** The Go type that OpenFGA has the JSON value in. */
function goTypeOf(value: Json): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return 'float64'
  return typeof value === 'string' ? 'string' : 'map[string]interface {}'
}

/** As Go's `%v` shows it. */
function goText(value: Json): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (typeof value === 'number') return formatDouble(value)
  if (typeof value === 'boolean' || typeof value === 'string') return String(value)
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return `map[${entries.map(([key, each]) => `${key}:${goText(each)}`).join(' ')}]`
}
