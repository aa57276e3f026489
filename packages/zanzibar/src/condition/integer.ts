import { CelError } from './cel-error.ts'
import { Uint } from './uint.ts'

const minInt = -(2n ** 63n)
const maxInt = 2n ** 63n - 1n
const maxUint = 2n ** 64n - 1n

export const intOverflow: CelError = new CelError('integer overflow')
const uintOverflow = new CelError('unsigned integer overflow')
const divisionByZero = new CelError('division by zero')
const modulusByZero = new CelError('modulus by zero')

/** `value` where it is an int of 64 bits. */
export function checkedInt(value: bigint): bigint | CelError {
  return value < minInt || value > maxInt ? intOverflow : value
}

export function checkedUint(value: bigint): Uint | CelError {
  return value < 0n || value > maxUint ? uintOverflow : new Uint(value)
}

export function divideInts(one: bigint, other: bigint): bigint | CelError {
  return other === 0n ? divisionByZero : checkedInt(one / other)
}

export function moduloInts(one: bigint, other: bigint): bigint | CelError {
  if (other === 0n) return modulusByZero
  return one === minInt && other === -1n ? intOverflow : one % other
}

export function divideUints(one: bigint, other: bigint): Uint | CelError {
  return other === 0n ? divisionByZero : new Uint(one / other)
}

export function moduloUints(one: bigint, other: bigint): Uint | CelError {
  return other === 0n ? modulusByZero : new Uint(one % other)
}

/** Cuts the fraction off; the ends of the range are an overflow already, as cel-go has it. */
export function doubleToInt(value: number): bigint | CelError {
  return value > -(2 ** 63) && value < 2 ** 63 ? BigInt(Math.trunc(value)) : intOverflow
}

export function doubleToUint(value: number): Uint | CelError {
  return value >= 0 && value < 2 ** 64 ? new Uint(BigInt(Math.trunc(value))) : uintOverflow
}

/** A whole number in decimal, as Go's `strconv.ParseInt` and `ParseUint` read one. */
export function parseInteger(text: string, type: 'int' | 'uint'): bigint | Uint | undefined {
  const digits = type === 'int' && (text[0] === '-' || text[0] === '+') ? text.slice(1) : text
  if (digits.length === 0 || digits.length > 4096 || !isDigits(digits)) return undefined
  const magnitude = BigInt(digits)
  const value = text[0] === '-' ? -magnitude : magnitude
  const checked = type === 'int' ? checkedInt(value) : checkedUint(value)
  return checked instanceof CelError ? undefined : checked
}

export function isDigits(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 48 || code > 57) return false
  }
  return true
}
