import { isDigits } from './integer.ts'

/** The shortest decimal digits of a finite number other than 0, and the power of ten of the first one. */
function digitsOf(value: number): { digits: string; exponent: number } {
  const [mantissa = '', exponent = '0'] = Math.abs(value).toExponential().split('e')
  return { digits: mantissa.replace('.', ''), exponent: Number(exponent) }
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  return undefined
}

/** As Go's `%g`: an exponent for what is below 10^-4 or has more digits before its point than `precision` allows. */
export function formatDouble(value: number, precision = 6): string {
  const text = special(value)
  if (text !== undefined) return text
  const { digits, exponent } = digitsOf(value)
  if (exponent >= -4 && exponent < precision) return fixed(value < 0, digits, exponent)
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${value < 0 ? '-' : ''}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size}`
}

/** The shortest decimal text that reads as `value`, without an exponent. */
export function formatFixed(value: number): string {
  const text = special(value)
  if (text !== undefined) return text
  const { digits, exponent } = digitsOf(value)
  return fixed(value < 0, digits, exponent)
}

function fixed(isNegative: boolean, digits: string, exponent: number): string {
  const whole = exponent < 0 ? '0' : digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const fraction = exponent < 0 ? '0'.repeat(-exponent - 1) + digits : digits.slice(exponent + 1)
  return `${isNegative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

/** As Go's `strconv.ParseFloat`: decimal or hexadecimal with an exponent, infinity, NaN; undefined where it is none or too large. */
export function parseDouble(text: string): number | undefined {
  const isNegative = text[0] === '-'
  const magnitude = isNegative || text[0] === '+' ? text.slice(1) : text
  const value = parseMagnitude(magnitude.toLowerCase())
  if (value === undefined) return undefined
  return isNegative ? -value : value
}

function parseMagnitude(text: string): number | undefined {
  if (text === 'inf' || text === 'infinity') return Number.POSITIVE_INFINITY
  if (text === 'nan') return Number.NaN
  const value = text.startsWith('0x') ? parseHexadecimal(text.slice(2)) : parseDecimal(text)
  return value === Number.POSITIVE_INFINITY ? undefined : value
}

function parseDecimal(text: string): number | undefined {
  const [mantissa = '', exponent, extra] = text.split('e')
  if (extra !== undefined || !isMantissa(mantissa, isDigits) || !isExponent(exponent)) return undefined
  return Number(text)
}

function parseHexadecimal(text: string): number | undefined {
  const [mantissa = '', exponent, extra] = text.split('p')
  if (extra !== undefined || exponent === undefined || !isExponent(exponent)) return undefined
  if (mantissa.length > 4096 || !isMantissa(mantissa, isHexadecimal)) return undefined
  const [whole = '', fraction = ''] = mantissa.split('.')
  const shift = Number(exponent) - 4 * fraction.length
  return scale(BigInt(`0x${whole}${fraction}`), shift)
}

/** `mantissa` · 2^`shift`, rounded to even once. */
function scale(mantissa: bigint, shift: number): number {
  if (mantissa === 0n) return 0
  const bits = mantissa.toString(2).length
  // What is kept of the mantissa, so that a result below the normal range is rounded once as well.
  const kept = Math.min(53, Math.max(bits + shift + 1074, 0))
  const cut = bits - kept
  if (cut <= 0) return powerOfTwo(Number(mantissa), shift)
  const half = 1n << BigInt(cut - 1)
  const quotient = mantissa >> BigInt(cut)
  const rest = mantissa & ((1n << BigInt(cut)) - 1n)
  const isUp = rest > half || (rest === half && (quotient & 1n) === 1n)
  return powerOfTwo(Number(quotient + (isUp ? 1n : 0n)), shift + cut)
}

/** In steps, since 2 to the whole power may lie outside what a double holds. */
function powerOfTwo(value: number, exponent: number): number {
  let [result, rest] = [value, Math.max(-3000, Math.min(3000, exponent))]
  for (; rest > 1000; rest -= 1000) result *= 2 ** 1000
  for (; rest < -1000; rest += 1000) result *= 2 ** -1000
  return result * 2 ** rest
}

function isMantissa(text: string, areDigits: (text: string) => boolean): boolean {
  const [whole = '', fraction = '', extra] = text.split('.')
  return extra === undefined && whole + fraction !== '' && areDigits(whole + fraction)
}

function isExponent(text: string | undefined): boolean {
  if (text === undefined) return true
  const digits = text[0] === '-' || text[0] === '+' ? text.slice(1) : text
  return digits !== '' && isDigits(digits)
}

function isHexadecimal(text: string): boolean {
  return Array.from(text).every((digit) => isDigits(digit) || (digit >= 'a' && digit <= 'f'))
}
