/** `coefficient * 10 ** exponent`, exactly. */
export interface Decimal {
  readonly coefficient: bigint
  readonly exponent: number
}

/** The digits that Python's decimal arithmetic keeps. */
const precision = 28

/** The exact value of an integer or a finite float. */
export function decimalOf(value: bigint | number): Decimal {
  if (typeof value === 'bigint') return { coefficient: value, exponent: 0 }
  let mantissa = value
  let halvings = 0
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2
    halvings++
  }
  return { coefficient: BigInt(mantissa) * 5n ** BigInt(halvings), exponent: -halvings }
}

/** The float nearest to `value`. */
export function numberOf({ coefficient, exponent }: Decimal): number {
  return Number(`${coefficient}e${exponent}`)
}

/** The sum, rounded to 28 digits, half to even. */
export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent)
  return rounded({ coefficient: scaled(a, exponent) + scaled(b, exponent), exponent })
}

/** Below, at or above 0. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const exponent = Math.min(a.exponent, b.exponent)
  const difference = scaled(a, exponent) - scaled(b, exponent)
  return difference === 0n ? 0 : difference < 0n ? -1 : 1
}

function scaled({ coefficient, exponent }: Decimal, to: number): bigint {
  return coefficient * 10n ** BigInt(exponent - to)
}

function rounded({ coefficient, exponent }: Decimal): Decimal {
  const negative = coefficient < 0n
  const size = negative ? -coefficient : coefficient
  const excess = String(size).length - precision
  if (excess <= 0) return { coefficient, exponent }
  const unit = 10n ** BigInt(excess)
  const [quotient, rest] = [size / unit, size % unit]
  const up = rest * 2n > unit || (rest * 2n === unit && quotient % 2n === 1n)
  const kept = up ? quotient + 1n : quotient
  return { coefficient: negative ? -kept : kept, exponent: exponent + excess }
}
