import { asciiNumberText } from '../value/python-digits.ts'

/** What Python's `int()` refuses to read, against quadratic time. */
const maxIntDigits = 4300

const intText = /^[+-]?[0-9]+(?:_[0-9]+)*$/
const floatText =
  /^[+-]?(?:(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+(?:_[0-9]+)*)(?:e[+-]?[0-9]+(?:_[0-9]+)*)?|inf|infinity|nan)$/i

/** Python's `int(text)`; undefined where it raises a ValueError. */
export function parsePythonInt(text: string): bigint | undefined {
  const trimmed = asciiNumberText(text)
  return intText.test(trimmed) ? integerOf(trimmed) : undefined
}

/** Python's `float(text)`; undefined where it raises a ValueError. */
export function parsePythonFloat(text: string): number | undefined {
  const trimmed = asciiNumberText(text)
  return floatText.test(trimmed) ? floatOf(trimmed) : undefined
}

/** What an integer of ASCII's digits is; undefined where it has more of them than Python reads. */
export function integerOf(text: string): bigint | undefined {
  const digits = text.replace(/[_+-]/g, '')
  if (digits.length > maxIntDigits) return undefined
  return text.startsWith('-') ? -BigInt(digits) : BigInt(digits)
}

/** What a float of ASCII's digits is. */
export function floatOf(text: string): number {
  const plain = text.replace(/^[+-]|_/g, '').toLowerCase()
  if (plain === 'nan') return Number.NaN
  const magnitude = plain.startsWith('inf') ? Number.POSITIVE_INFINITY : Number(plain)
  return text.startsWith('-') ? -magnitude : magnitude
}
