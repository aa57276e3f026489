import { asciiNumberText } from '../value/python-digits.ts'
import { type Mark, yamlError } from './errors.ts'

// What Python's int() reads of one text in base 10, unless it is told otherwise.
const decimalDigitsMax = 4300

/**
 * The integer that YAML 1.1 means by `text`: binary, octal with a leading 0, hexadecimal, base 60 with `:`.
 * @throws HydraConfigError of class `ValueError` or `IndexError`, as PyYAML does
 */
export function readInteger(text: string, mark?: Mark): bigint {
  const { negative, digits } = splitSign(text, mark)
  const magnitude = readMagnitude(digits, mark)
  return negative ? -magnitude : magnitude
}

function readMagnitude(digits: string, mark: Mark | undefined): bigint {
  if (digits === '') throw yamlError('IndexError', 'a sign alone is no integer', mark)
  if (digits === '0') return 0n
  if (digits.startsWith('0b')) return pythonInt(digits.slice(2), 2, mark)
  if (digits.startsWith('0x')) return pythonInt(digits.slice(2), 16, mark)
  if (digits.startsWith('0')) return pythonInt(digits, 8, mark)
  if (!digits.includes(':')) return pythonInt(digits, 10, mark)
  return ofBase60(digits.split(':').map((part) => pythonInt(part, 10, mark)))
}

/** By halves: from one end to the other takes time that grows with the square. */
function ofBase60(parts: readonly bigint[]): bigint {
  if (parts.length < 2) return parts[0] ?? 0n
  const low = parts.length >> 1
  const high = parts.length - low
  return ofBase60(parts.slice(0, high)) * 60n ** BigInt(low) + ofBase60(parts.slice(high))
}

/**
 * The float that YAML 1.1 means by `text`: `.inf`, `.nan`, base 60 with `:`, else as Python's float().
 * @throws HydraConfigError of class `ValueError`, `IndexError` or `OverflowError`, as PyYAML does
 */
export function readFloat(text: string, mark?: Mark): number {
  const { negative, digits } = splitSign(text.toLowerCase(), mark)
  if (digits === '.nan') return Number.NaN
  const magnitude = digits === '.inf' ? Number.POSITIVE_INFINITY : readFloatMagnitude(digits, mark)
  return negative ? -magnitude : magnitude
}

function readFloatMagnitude(digits: string, mark: Mark | undefined): number {
  if (!digits.includes(':')) return pythonFloat(digits, mark)
  // In Python this is an integer, which is rounded anew for each part.
  let base = 1n
  let total = 0
  for (const part of digits.split(':').toReversed()) {
    const digit = pythonFloat(part, mark)
    if (Number(base) === Number.POSITIVE_INFINITY)
      throw yamlError('OverflowError', 'a !!float has too many parts', mark)
    total += digit * Number(base)
    base *= 60n
  }
  return total
}

function splitSign(text: string, mark: Mark | undefined): { negative: boolean; digits: string } {
  const plain = text.replaceAll('_', '')
  if (plain === '') throw yamlError('IndexError', 'an empty text is no number', mark)
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

// What stands there is not shown: it may be a secret.
function pythonInt(text: string, base: 2 | 8 | 10 | 16, mark: Mark | undefined): bigint {
  const digits = asciiNumberText(text)
  if (!digitsOfBase[base].test(digits) || (base === 10 && digits.length > decimalDigitsMax)) {
    throw yamlError('ValueError', `an !!int is no integer of base ${base}`, mark)
  }
  const bare = digits.replace(/^[+-]/, '').replace(/^0[oO]/, '')
  const magnitude = BigInt(prefixOfBase[base] + bare)
  return digits.startsWith('-') ? -magnitude : magnitude
}

function pythonFloat(text: string, mark: Mark | undefined): number {
  const digits = asciiNumberText(text)
  if (/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$/.test(digits)) return Number(digits)
  if (/^[+-]?inf(?:inity)?$/.test(digits)) {
    return digits.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }
  if (/^[+-]?nan$/.test(digits)) return Number.NaN
  throw yamlError('ValueError', 'a !!float is no float', mark)
}
