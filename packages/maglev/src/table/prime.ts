import { MaglevError, shown } from '../errors.ts'

/** Whether `n` is a prime; by trial division, at most about 1,100 steps for the largest table. */
export function isPrime(n: number): boolean {
  if (!Number.isSafeInteger(n) || n < 2) return false
  if (n % 2 === 0) return n === 2
  for (let divisor = 3; divisor * divisor <= n; divisor += 2) {
    if (n % divisor === 0) return false
  }
  return true
}

const nextPrimeMax = 2 ** 32

/**
 * The smallest prime that is at least `n`: a table size for "about n slots".
 *
 * @throws MaglevError `INVALID_OPTION` for what is no number up to 2^32
 */
export function nextPrime(n: number): number {
  if (typeof n !== 'number' || !(n <= nextPrimeMax)) {
    throw new MaglevError('INVALID_OPTION', `n must be a number up to ${nextPrimeMax}, not ${shown(n)}`)
  }
  let candidate = Math.max(2, Math.ceil(n))
  while (!isPrime(candidate)) candidate++
  return candidate
}
