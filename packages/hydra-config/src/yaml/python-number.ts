import { asciiNumberText } from '../value/python-digits.ts'
import { yamlError } from './errors.ts'

// What Python's int() reads of one text in base 10, unless it is told otherwise.
const decimalDigitsMax = 4300

/**
 * The integer that YAML 1.1 means by `text`: binary, octal with a leading 0, hexadecimal, base 60 with `:`.
 * @throws HydraConfigError of class `ValueError` or `IndexError`, as PyYAML does
 */
export function readInteger(text: string): bigint {
  const { negative, digits } = splitSign(text)
  const magnitude = readMagnitude(digits)
  return negative ? -magnitude : magnitude
}

function readMagnitude(digits: string): bigint {
  if (digits === '') throw yamlError('IndexError', 'a sign alone is no integer')
  if (digits === '0') return 0n
  if (digits.startsWith('0b')) return pythonInt(digits.slice(2), 2)
  if (digits.startsWith('0x')) return pythonInt(digits.slice(2), 16)
  if (digits.startsWith('0')) return pythonInt(digits, 8)
  if (!digits.includes(':')) return pythonInt(digits, 10)
  return digits.split(':').reduce((total, part) => total * 60n + pythonInt(part, 10), 0n)
}

/**
 * The float that YAML 1.1 means by `text`: `.inf`, `.nan`, base 60 with `:`, else as Python's float().
 * @throws HydraConfigError of class `ValueError` or `IndexError`, as PyYAML does
 */
export function readFloat(text: string): number {
  const { negative, digits } = splitSign(text.toLowerCase())
  if (digits === '.nan') return Number.NaN
  const magnitude = digits === '.inf' ? Number.POSITIVE_INFINITY : readFloatMagnitude(digits)
  return negative ? -magnitude : magnitude
}

function readFloatMagnitude(digits: string): number {
  if (!digits.includes(':')) return pythonFloat(digits)
  let base = 1
  let total = 0
  for (const part of digits.split(':').toReversed()) {
    total += pythonFloat(part) * base
    base *= 60
  }
  return total
}

function splitSign(text: string): { negative: boolean; digits: string } {
  const plain = text.replaceAll('_', '')
  if (plain === '') throw yamlError('IndexError', 'an empty text is no number')
  const signed = plain.startsWith('-') || plain.startsWith('+')
  const digits = signed ? plain.slice(1) : plain
  return { negative: plain.startsWith('-'), digits }
}

const digitsOfBase = {
  2: /^[+-]?[01]+$/,
  8: /^[+-]?(?:0[oO])?[0-7]+$/,
  10: /^[+-]?[0-9]+$/,
  16: /^[+-]?[0-9a-fA-F]+$/,
}
const prefixOfBase = { 2: '0b', 8: '0o', 10: '', 16: '0x' }

function pythonInt(text: string, base: 2 | 8 | 10 | 16): bigint {
  const digits = asciiNumberText(text)
  if (!digitsOfBase[base].test(digits) || (base === 10 && digits.length > decimalDigitsMax)) {
    throw yamlError('ValueError', `${shorten(text)} is no integer of base ${base}`)
  }
  const bare = digits.replace(/^[+-]/, '').replace(/^0[oO]/, '')
  const magnitude = BigInt(prefixOfBase[base] + bare)
  return digits.startsWith('-') ? -magnitude : magnitude
}

function pythonFloat(text: string): number {
  const digits = asciiNumberText(text)
  if (/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$/.test(digits)) return Number(digits)
  if (/^[+-]?inf(?:inity)?$/.test(digits)) {
    return digits.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }
  if (/^[+-]?nan$/.test(digits)) return Number.NaN
  throw yamlError('ValueError', `${shorten(text)} is no float`)
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
