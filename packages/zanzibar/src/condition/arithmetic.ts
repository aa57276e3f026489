import { isList } from './compare.ts'
import { checkedDuration, Duration } from './duration.ts'
import { checkedInt, checkedUint, divideInts, divideUints, moduloInts, moduloUints } from './integer.ts'
import { unsupported } from './overload.ts'
import { addDuration, between, subtractDuration, Timestamp } from './timestamp.ts'
import { Uint } from './uint.ts'
import { GrowingList, noSuchOverload, type Value } from './value.ts'

/** `_+_`, which also joins text, bytes and lists. */
export function add(one: Value, other: Value): Value {
  if (typeof one === 'bigint') return typeof other === 'bigint' ? checkedInt(one + other) : noSuchOverload
  if (typeof one === 'number') return typeof other === 'number' ? one + other : noSuchOverload
  if (typeof one === 'string') return typeof other === 'string' ? one + other : noSuchOverload
  if (one instanceof Uint)
    return other instanceof Uint ? checkedUint(one.value + other.value) : noSuchOverload
  if (one instanceof GrowingList && isList(other)) {
    for (const element of other) one.push(element)
    return one
  }
  if (isList(one)) return isList(other) ? [...one, ...other] : noSuchOverload
  if (one instanceof Timestamp) return other instanceof Duration ? addDuration(one, other) : noSuchOverload
  if (one instanceof Duration) {
    if (other instanceof Timestamp) return addDuration(other, one)
    return other instanceof Duration ? checkedDuration(one.nanoseconds + other.nanoseconds) : noSuchOverload
  }
  if (one instanceof Uint8Array) {
    return other instanceof Uint8Array ? Uint8Array.from([...one, ...other]) : noSuchOverload
  }
  return unsupported('_+_', one)
}

export function subtract(one: Value, other: Value): Value {
  if (typeof one === 'bigint') return typeof other === 'bigint' ? checkedInt(one - other) : noSuchOverload
  if (typeof one === 'number') return typeof other === 'number' ? one - other : noSuchOverload
  if (one instanceof Uint)
    return other instanceof Uint ? checkedUint(one.value - other.value) : noSuchOverload
  if (one instanceof Timestamp) {
    if (other instanceof Timestamp) return between(one, other)
    return other instanceof Duration ? subtractDuration(one, other) : noSuchOverload
  }
  if (one instanceof Duration)
    return other instanceof Duration ? checkedDuration(one.nanoseconds - other.nanoseconds) : noSuchOverload
  return unsupported('_-_', one)
}

export function multiply(one: Value, other: Value): Value {
  if (typeof one === 'bigint') return typeof other === 'bigint' ? checkedInt(one * other) : noSuchOverload
  if (typeof one === 'number') return typeof other === 'number' ? one * other : noSuchOverload
  if (one instanceof Uint)
    return other instanceof Uint ? checkedUint(one.value * other.value) : noSuchOverload
  return unsupported('_*_', one)
}

export function divide(one: Value, other: Value): Value {
  if (typeof one === 'bigint') return typeof other === 'bigint' ? divideInts(one, other) : noSuchOverload
  if (typeof one === 'number') return typeof other === 'number' ? one / other : noSuchOverload
  if (one instanceof Uint) return other instanceof Uint ? divideUints(one.value, other.value) : noSuchOverload
  return unsupported('_/_', one)
}

export function modulo(one: Value, other: Value): Value {
  if (typeof one === 'bigint') return typeof other === 'bigint' ? moduloInts(one, other) : noSuchOverload
  if (one instanceof Uint) return other instanceof Uint ? moduloUints(one.value, other.value) : noSuchOverload
  return unsupported('_%_', one)
}

export function negate(value: Value): Value {
  if (typeof value === 'bigint') return checkedInt(-value)
  if (typeof value === 'number') return -value
  if (value instanceof Duration) return checkedDuration(-value.nanoseconds)
  return typeof value === 'boolean' ? noSuchOverload : unsupported('-_', value)
}
