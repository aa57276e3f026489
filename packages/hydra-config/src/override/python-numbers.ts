import { asciiNumberText } from '../value/python-digits.ts'

/** What Python's `int()` refuses to read, against quadratic time. */
const maxIntDigits = 4300

const intText = /^[+-]?[0-9]+(?:_[0-9]+)*$/
const floatText =
  /^[+-]?(?:(?:[0-9]+(?:_[0-9]+)*\.?(?:[0-9]+(?:_[0-9]+)*)?|\.[0-9]+(?:_[0-9]+)*)(?:e[+-]?[0-9]+(?:_[0-9]+)*)?|inf|infinity|nan)$/i

/** Python's `int(text)`; undefined where it raises a ValueError. */
export function parsePythonInt(text: string): bigint | undefined {
  const trimmed = asciiNumberText(text)
  if (!intText.test(trimmed)) return undefined
  const digits = trimmed.replace(/[_+-]/g, '')
  if (digits.length > maxIntDigits) return undefined
  return trimmed.startsWith('-') ? -BigInt(digits) : BigInt(digits)
}

/** Python's `float(text)`; undefined where it raises a ValueError. */
export function parsePythonFloat(text: string): number | undefined {
  const trimmed = asciiNumberText(text)
  if (!floatText.test(trimmed)) return undefined
  const sign = trimmed.startsWith('-') ? -1 : 1
  const plain = trimmed.replace(/^[+-]/, '').replaceAll('_', '').toLowerCase()
  if (plain === 'nan') return Number.NaN
  return sign * (plain.startsWith('inf') ? Number.POSITIVE_INFINITY : Number(plain))
}
