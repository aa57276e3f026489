import { add, divide, modulo, multiply, negate, subtract } from './arithmetic.ts'
import { CelError } from './cel-error.ts'
import { compare, equals, isList } from './compare.ts'
import { convert, isConversion, typeNameOf } from './conversion.ts'
import { formatDouble } from './double.ts'
import { Duration, durationPart } from './duration.ts'
import { IpAddress, isInCidr, parseIpAddress } from './ip-address.ts'
import { unsupported } from './overload.ts'
import { quote } from './quote.ts'
import { compilePattern } from './re2/pattern.ts'
import { offsetIn } from './time-zone.ts'
import { Timestamp, timestampPart } from './timestamp.ts'
import { Uint } from './uint.ts'
import { CelMap, noSuchOverload, type Value } from './value.ts'

/** What a function does with arguments that are neither errors nor unknown. */
export type Unary = (value: Value) => Value
export type Binary = (one: Value, other: Value) => Value

/** undefined where no function of that name takes one argument. */
export function unaryFunction(name: string): Unary | undefined {
  if (isConversion(name)) return (value) => convert(name, value)
  return unary.get(name) ?? (accessors.has(name) ? (value) => timePart(name, value, 0) : undefined)
}

/** undefined where no function of that name takes two arguments. */
export function binaryFunction(name: string): Binary | undefined {
  return binary.get(name) ?? (accessors.has(name) ? (value, zone) => zonedPart(name, value, zone) : undefined)
}

const accessors: ReadonlySet<string> = new Set([
  'getFullYear',
  'getMonth',
  'getDayOfYear',
  'getDayOfMonth',
  'getDate',
  'getDayOfWeek',
  'getHours',
  'getMinutes',
  'getSeconds',
  'getMilliseconds',
])

const unary: ReadonlyMap<string, Unary> = new Map<string, Unary>([
  ['!_', (value) => (typeof value === 'boolean' ? !value : noSuchOverload)],
  ['-_', negate],
  ['size', sizeOf],
  ['ipaddress', ipAddress],
])

const binary: ReadonlyMap<string, Binary> = new Map<string, Binary>([
  ['_==_', equals],
  // What has no answer to whether it is equal is not.
  ['_!=_', (one, other) => equals(one, other) !== true],
  ['_<_', ordered('_<_', (order) => order < 0)],
  ['_<=_', ordered('_<=_', (order) => order <= 0)],
  ['_>_', ordered('_>_', (order) => order > 0)],
  ['_>=_', ordered('_>=_', (order) => order >= 0)],
  ['_+_', add],
  ['_-_', subtract],
  ['_*_', multiply],
  ['_/_', divide],
  ['_%_', modulo],
  ['@in', isIn],
  ['contains', textual((text, part) => text.includes(part))],
  ['startsWith', textual((text, start) => text.startsWith(start))],
  ['endsWith', textual((text, end) => text.endsWith(end))],
  ['matches', matches],
  ['in_cidr', inCidr],
])

function ordered(name: string, holds: (order: number) => boolean): Binary {
  return (one, other) => {
    const order = compare(name, one, other)
    return order instanceof CelError ? order : holds(order)
  }
}

function textual(holds: (text: string, part: string) => boolean): Binary {
  return (text, part) =>
    typeof text === 'string' && typeof part === 'string' ? holds(text, part) : noSuchOverload
}

function sizeOf(value: Value): Value {
  if (typeof value === 'string') return BigInt(Array.from(value).length)
  if (value instanceof Uint8Array || isList(value)) return BigInt(value.length)
  return value instanceof CelMap ? BigInt(value.size) : unsupported('size', value)
}

/** Whether a list has an element equal to `one`, or a map such a key. */
export function isIn(one: Value, other: Value): Value {
  if (isList(other)) return other.some((element) => equals(one, element) === true)
  return other instanceof CelMap ? other.get(one) !== undefined : noSuchOverload
}

function matches(text: Value, pattern: Value): Value {
  if (typeof text !== 'string') return unsupported('matches', text)
  if (typeof pattern !== 'string') return noSuchOverload
  const compiled = compilePattern(pattern)
  return 'problem' in compiled ? new CelError(compiled.problem) : compiled.matches(text)
}

function ipAddress(value: Value): Value {
  if (typeof value !== 'string') return new CelError(`no such overload: ipaddress(${typeNameOf(value)})`)
  return parseIpAddress(value) ?? new CelError(`ParseAddr(${quote(value)}): unable to parse IP`)
}

function inCidr(address: Value, network: Value): Value {
  if (address instanceof IpAddress && typeof network === 'string') return isInCidr(address, network)
  return new CelError(`no such overload: in_cidr(${typeNameOf(address)}, ${typeNameOf(network)})`)
}

function timePart(name: string, value: Value, offset: number): Value {
  const part =
    value instanceof Timestamp
      ? timestampPart(name, value, offset)
      : value instanceof Duration
        ? durationPart(name, value)
        : undefined
  return part ?? new CelError(`no such overload: ${name}(${typeNameOf(value)})`)
}

function zonedPart(name: string, value: Value, zone: Value): Value {
  if (!(value instanceof Timestamp) || typeof zone !== 'string')
    return new CelError(`no such overload: ${name}(${typeNameOf(value)}, ${typeNameOf(zone)})`)
  const offset = offsetIn(zone, value)
  return offset instanceof CelError ? offset : timePart(name, value, offset)
}

/** What stands at a key of a map or an index of a list. */
export function elementAt(holder: Value, key: Value): Value {
  if (holder instanceof CelMap) {
    const value = holder.get(key)
    return value === undefined ? missingKey(key) : value
  }
  if (!isList(holder)) return missingKey(key)
  const index = indexOf(key)
  if (index instanceof CelError) return index
  return holder[index] ?? (index in holder ? null : new CelError(`index out of bounds: ${showKey(key)}`))
}

/** Whether {@link elementAt} would find something. */
export function hasElement(holder: Value, key: Value): Value {
  if (holder instanceof CelMap) return holder.get(key) !== undefined
  if (!isList(holder)) return false
  const index = indexOf(key)
  return index instanceof CelError ? index : index in holder
}

function missingKey(key: Value): CelError {
  return new CelError(`no such key: ${showKey(key)}`)
}

function plain(key: Value): Value {
  return key instanceof Uint ? key.value : key
}

function indexOf(key: Value): number | CelError {
  const value = plain(key)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'number') return new CelError(`unsupported index type '${typeNameOf(key)}' in list`)
  return Number.isInteger(value) && Math.abs(value) < 2 ** 63
    ? value
    : new CelError(`unsupported index value ${formatDouble(value)} in list`)
}

/** As Go's `%v` shows a key. */
function showKey(key: Value): string {
  if (typeof key === 'number') return formatDouble(key)
  return key instanceof Uint ? String(key.value) : typeof key === 'object' ? typeNameOf(key) : String(key)
}
