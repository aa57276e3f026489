import { CelError } from './cel-error.ts'
import { isList } from './compare.ts'
import { formatDouble, parseDouble } from './double.ts'
import { Duration, formatDuration, parseDuration } from './duration.ts'
import { checkedInt, checkedUint, doubleToInt, doubleToUint, parseInteger } from './integer.ts'
import { IpAddress } from './ip-address.ts'
import { formatTimestamp, Timestamp, timestampOfSeconds, timestampOfText } from './timestamp.ts'
import { Uint } from './uint.ts'
import { CelMap, TypeValue, type Value } from './value.ts'

/** The name of a value's type, as `type(value)` gives it. */
export function typeNameOf(value: Value): string {
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'bigint') return 'int'
  if (typeof value === 'number') return 'double'
  return typeof value === 'string' ? 'string' : objectTypeName(value)
}

function objectTypeName(value: Value): string {
  if (value === null) return 'null_type'
  if (value instanceof Uint) return 'uint'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
  if (value instanceof IpAddress) return 'IPAddress'
  if (value instanceof CelMap) return 'map'
  if (value instanceof TypeValue) return 'type'
  return isList(value) ? 'list' : 'error'
}

/** `function(value)` where the function makes one type of another. */
export function convert(name: string, value: Value): Value {
  const converted = converters.get(name)?.(value)
  return converted === undefined ? new CelError(`no such overload: ${name}(${typeNameOf(value)})`) : converted
}

/** undefined where there is no such conversion. */
type Convert = (value: Value) => Value | undefined

const trues: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const falses: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

const converters: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  [
    'bool',
    (value) => {
      if (typeof value === 'boolean') return value
      if (typeof value !== 'string') return undefined
      return trues.has(value) ? true : falses.has(value) ? false : unreadable('bool')
    },
  ],
  [
    'bytes',
    (value) => {
      if (value instanceof Uint8Array) return value
      return typeof value === 'string' ? new TextEncoder().encode(value) : undefined
    },
  ],
  [
    'double',
    (value) => {
      if (typeof value === 'number') return value
      if (typeof value === 'bigint') return Number(value)
      if (value instanceof Uint) return Number(value.value)
      return typeof value === 'string' ? (parseDouble(value) ?? unreadable('double')) : undefined
    },
  ],
  [
    'duration',
    (value) => {
      if (value instanceof Duration) return value
      return typeof value === 'string'
        ? (parseDuration(value) ?? unreadable('google.protobuf.Duration'))
        : undefined
    },
  ],
  ['dyn', (value) => value],
  [
    'int',
    (value) => {
      if (typeof value === 'bigint') return value
      if (typeof value === 'number') return doubleToInt(value)
      if (value instanceof Uint) return checkedInt(value.value)
      if (value instanceof Duration) return value.nanoseconds
      if (value instanceof Timestamp) return BigInt(value.seconds)
      return typeof value === 'string' ? (parseInteger(value, 'int') ?? unreadable('int')) : undefined
    },
  ],
  ['string', convertToString],
  [
    'timestamp',
    (value) => {
      if (value instanceof Timestamp) return value
      if (typeof value === 'bigint') return timestampOfSeconds(value)
      return typeof value === 'string' ? timestampOfText(value) : undefined
    },
  ],
  ['type', (value) => new TypeValue(typeNameOf(value))],
  [
    'uint',
    (value) => {
      if (value instanceof Uint) return value
      if (typeof value === 'bigint') return checkedUint(value)
      if (typeof value === 'number') return doubleToUint(value)
      return typeof value === 'string' ? (parseInteger(value, 'uint') ?? unreadable('uint')) : undefined
    },
  ],
])

/** Whether the function makes one type of another; of a constant cel-go does so when it compiles. */
export function isConversion(name: string): boolean {
  return converters.has(name)
}

function convertToString(value: Value): Value | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return formatDouble(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof Timestamp) return formatTimestamp(value)
  return value instanceof Uint8Array ? decode(value) : undefined
}

function decode(bytes: Uint8Array): string | CelError {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return new CelError('invalid UTF-8 in bytes, cannot convert to string')
  }
}

function unreadable(type: string): CelError {
  return new CelError(`type conversion error from 'string' to '${type}'`)
}
