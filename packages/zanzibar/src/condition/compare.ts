import { type CelError } from './cel-error.ts'
import { Duration } from './duration.ts'
import { IpAddress, isSameAddress } from './ip-address.ts'
import { unsupported } from './overload.ts'
import { compareTimestamps, Timestamp } from './timestamp.ts'
import { Uint } from './uint.ts'
import { CelMap, type List, noSuchOverload, TypeValue, type Value } from './value.ts'

export function isList(value: Value): value is List {
  return Array.isArray(value)
}

/** Whether two values are equal; numbers of two types are where they stand for the same number. */
export function equals(one: Value, other: Value): boolean | CelError {
  if (typeof one === 'string' || typeof one === 'boolean') return one === other
  if (isNumber(one)) return isNumber(other) && compareNumbers(one, other) === 0
  return equalObjects(one, other)
}

function equalObjects(one: Value, other: Value): boolean | CelError {
  if (one === null || other === null) return one === other
  if (isList(one)) return isList(other) && equalLists(one, other)
  if (one instanceof CelMap) return other instanceof CelMap && equalMaps(one, other)
  if (one instanceof Timestamp) return other instanceof Timestamp && compareTimestamps(one, other) === 0
  if (one instanceof Duration) return other instanceof Duration && one.nanoseconds === other.nanoseconds
  if (one instanceof TypeValue) return other instanceof TypeValue && one.name === other.name
  if (one instanceof Uint8Array) return other instanceof Uint8Array && compareBytes(one, other) === 0
  if (one instanceof IpAddress) return other instanceof IpAddress ? isSameAddress(one, other) : noSuchOverload
  return false
}

// An error between two elements does not make lists or maps differ, in cel-go.
function equalLists(one: List, other: List): boolean {
  return (
    one.length === other.length &&
    one.every((element, index) => equals(element, other[index] ?? null) !== false)
  )
}

function equalMaps(one: CelMap, other: CelMap): boolean {
  if (one.size !== other.size) return false
  return one.keys().every((key) => {
    const [mine, theirs] = [one.get(key), other.get(key)]
    return mine !== undefined && theirs !== undefined && equals(mine, theirs) !== false
  })
}

/** Negative, 0 or positive; an error where the two have no order; NaN where one of them is NaN. */
export function compare(operator: string, one: Value, other: Value): number | CelError {
  if (Number.isNaN(one) || Number.isNaN(other)) return Number.NaN
  if (typeof one === 'string') return typeof other === 'string' ? compareText(one, other) : noSuchOverload
  if (isNumber(one)) return isNumber(other) ? compareNumbers(one, other) : noSuchOverload
  if (one instanceof Timestamp)
    return other instanceof Timestamp ? compareTimestamps(one, other) : noSuchOverload
  if (one instanceof Duration)
    return other instanceof Duration ? order(one.nanoseconds, other.nanoseconds) : noSuchOverload
  if (typeof one === 'boolean')
    return typeof other === 'boolean' ? Number(one) - Number(other) : noSuchOverload
  if (one instanceof Uint8Array)
    return other instanceof Uint8Array ? compareBytes(one, other) : noSuchOverload
  return unsupported(operator, one)
}

function isNumber(value: Value): value is bigint | number | Uint {
  return typeof value === 'bigint' || typeof value === 'number' || value instanceof Uint
}

function compareNumbers(one: bigint | number | Uint, other: bigint | number | Uint): number {
  if (typeof one === 'number' || typeof other === 'number') return compareDoubles(one, other)
  return order(one instanceof Uint ? one.value : one, other instanceof Uint ? other.value : other)
}

/** An integer is rounded to a double first, as cel-go does it, unless the double lies beyond its range. */
function compareDoubles(one: bigint | number | Uint, other: bigint | number | Uint): number {
  if (typeof one !== 'number') return -compareDoubles(other, one)
  if (typeof other === 'number') return order(one, other)
  if (other instanceof Uint) return one < 0 ? -1 : one > 2 ** 64 ? 1 : order(one, Number(other.value))
  return one < -(2 ** 63) ? -1 : one > 2 ** 63 ? 1 : order(one, Number(other))
}

function order<T extends bigint | number>(one: T, other: T): number {
  return one < other ? -1 : one > other ? 1 : one === other ? 0 : Number.NaN
}

/** In the order of code points, which is that of UTF-8. */
function compareText(one: string, other: string): number {
  const end = Math.min(one.length, other.length)
  for (let index = 0; index < end; index++) {
    const [mine, theirs] = [one.charCodeAt(index), other.charCodeAt(index)]
    if (mine !== theirs) return rank(mine) - rank(theirs)
  }
  return one.length - other.length
}

/** Surrogates stand for code points above all others of 16 bits. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const end = Math.min(one.length, other.length)
  for (let index = 0; index < end; index++) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0)
    if (difference !== 0) return difference
  }
  return one.length - other.length
}
