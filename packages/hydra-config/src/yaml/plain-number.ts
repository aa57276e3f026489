import { Bail } from './bail.ts'

// What Python's int() reads of one text in base 10, unless it is told otherwise.
const digitsMax = 4300

/** The integer that a plain scalar means: binary, octal with a leading 0, hexadecimal, base 60 with `:`. */
export function plainInteger(text: string): bigint {
  const digits = text.replace(/[-+_]/g, '')
  // What is too long or lacks its digits the full reader refuses, as Python does.
  if (digits.length > digitsMax || /^0[bx]$/.test(digits)) throw new Bail()
  const magnitude = /^0[0-7]/.test(digits)
    ? BigInt(`0o${digits}`)
    : digits.split(':').reduce((total, part) => total * 60n + BigInt(part), 0n)
  return text.startsWith('-') ? -magnitude : magnitude
}

/** The float that a plain scalar means: `.inf`, `.nan`, base 60 with `:`. */
export function plainFloat(text: string): number {
  const digits = text.replace(/^[-+]|_/g, '').toLowerCase()
  if (digits === '.nan') return Number.NaN
  let magnitude = digits === '.inf' ? Number.POSITIVE_INFINITY : 0
  let base = 1n
  // In the order in which Python adds, for that of the sums decides how they are rounded.
  for (const part of magnitude === 0 ? digits.split(':').toReversed() : []) {
    if (Number(base) > Number.MAX_VALUE) throw new Bail()
    magnitude += Number(part) * Number(base)
    base *= 60n
  }
  return text.startsWith('-') ? -magnitude : magnitude
}
