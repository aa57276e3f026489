import { formatDouble } from './double.ts'
import { isDigits } from './integer.ts'

/** A decimal text, rounded to 64 bits as OpenFGA's `big.ParseFloat(text, 10, 64, …)` does it. */
export interface Decimal {
  /** undefined where it is not whole. */
  readonly whole: bigint | undefined
  /** undefined where no double is exactly that. */
  readonly double: number | undefined
  /** With ten digits, for messages. */
  readonly text: string
}

/** Beyond these powers of ten nothing is an integer of 64 bits or a double. */
const maxExponent = 5000

/** undefined where `text` is no number. */
export function parseDecimal(text: string): Decimal | undefined {
  const isNegative = text[0] === '-'
  const magnitude = isNegative || text[0] === '+' ? text.slice(1) : text
  if (magnitude === 'Inf' || magnitude === 'inf') return infinite(isNegative)
  const [mantissa = '', exponent, extra] = magnitude.toLowerCase().split('e')
  const [whole = '', fraction = '', point] = mantissa.split('.')
  if (extra !== undefined || point !== undefined || whole + fraction === '' || !isDigits(whole + fraction))
    return undefined
  const power = exponent === undefined ? 0 : powerOf(exponent)
  if (power === undefined) return undefined
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return { whole: 0n, double: isNegative ? -0 : 0, text: isNegative ? '-0' : '0' }
  const scale = power - fraction.length
  if (digits.length + scale > maxExponent)
    return beyond(isNegative, digits, digits.length + scale, 2n ** 200n)
  if (digits.length + scale < -maxExponent)
    return beyond(isNegative, digits, digits.length + scale, undefined)
  return rounded(isNegative, digits, scale)
}

function powerOf(exponent: string): number | undefined {
  const digits = exponent[0] === '-' || exponent[0] === '+' ? exponent.slice(1) : exponent
  return digits !== '' && isDigits(digits) ? Number(exponent) : undefined
}

function infinite(isNegative: boolean): Decimal {
  const double = isNegative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  return { whole: undefined, double, text: isNegative ? '-Inf' : '+Inf' }
}

function beyond(isNegative: boolean, digits: string, power: number, whole: bigint | undefined): Decimal {
  const fraction = digits.slice(1, 10).replace(/0+$/, '')
  const mantissa = `${digits[0]}${fraction === '' ? '' : `.${fraction}`}`
  const exponent = power - 1
  const text = `${isNegative ? '-' : ''}${mantissa}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent)}`
  return { whole: whole === undefined ? undefined : isNegative ? -whole : whole, double: undefined, text }
}

function rounded(isNegative: boolean, digits: string, scale: number): Decimal {
  const numerator = BigInt(digits) * (scale > 0 ? 10n ** BigInt(scale) : 1n)
  const denominator = scale < 0 ? 10n ** BigInt(-scale) : 1n
  const { mantissa, shift } = roundTo64(numerator, denominator)
  const whole = shift >= 0 ? mantissa << BigInt(shift) : wholeOf(mantissa, -shift)
  const double = doubleOf(mantissa, shift)
  const sign = isNegative ? -1n : 1n
  return {
    whole: whole === undefined ? undefined : sign * whole,
    double: double === undefined ? undefined : isNegative ? -double : double,
    text: (isNegative ? '-' : '') + tenDigits(digits, scale),
  }
}

/** `numerator` / `denominator` as `mantissa` · 2^`shift` with a mantissa of 64 bits, half to even. */
function roundTo64(numerator: bigint, denominator: bigint): { mantissa: bigint; shift: number } {
  let shift = bitLength(numerator) - bitLength(denominator) - 64
  let [above, below] = scaled(numerator, denominator, shift)
  if (above / below >= 2n ** 64n) {
    shift += 1
    ;[above, below] = scaled(numerator, denominator, shift)
  }
  const quotient = above / below
  const twice = 2n * (above % below)
  const isUp = twice > below || (twice === below && (quotient & 1n) === 1n)
  return { mantissa: isUp ? quotient + 1n : quotient, shift }
}

function scaled(numerator: bigint, denominator: bigint, shift: number): [bigint, bigint] {
  return shift < 0 ? [numerator << BigInt(-shift), denominator] : [numerator, denominator << BigInt(shift)]
}

function bitLength(value: bigint): number {
  return value.toString(2).length
}

function wholeOf(mantissa: bigint, places: number): bigint | undefined {
  const cut = BigInt(places)
  return (mantissa >> cut) << cut === mantissa ? mantissa >> cut : undefined
}

/** undefined where 53 bits do not hold it, or its size is beyond a double's. */
function doubleOf(mantissa: bigint, shift: number): number | undefined {
  let [odd, power] = [mantissa, shift]
  while ((odd & 1n) === 0n) {
    odd >>= 1n
    power += 1
  }
  const bits = bitLength(odd)
  if (bits > 53 || power < -1074 || bits + power > 1024) return undefined
  // In two halves, since 2 to the whole power may lie outside what a double holds.
  const half = Math.trunc(power / 2)
  return Number(odd) * 2 ** half * 2 ** (power - half)
}

function tenDigits(digits: string, scale: number): string {
  const power = digits.length + scale - 1
  const lead = Number(`0.${digits.slice(0, 17)}`)
  const [mantissa = '', carried = '0'] = lead.toExponential(9).split('e')
  const exponent = power + 1 + Number(carried)
  const kept = mantissa.replace(/\.?0+$/, '')
  if (exponent < -4 || exponent >= 10) {
    const size = String(Math.abs(exponent)).padStart(2, '0')
    return `${kept}e${exponent < 0 ? '-' : '+'}${size}`
  }
  return formatDouble(Number(`${kept}e${exponent}`), 21)
}
