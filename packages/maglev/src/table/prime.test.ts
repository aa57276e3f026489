import { expect, test } from 'vitest'
import { isPrime, nextPrime } from './prime.ts'

test('primes up to 10,000 are those of the sieve', () => {
  const composite = new Uint8Array(10_001)
  for (let n = 2; n <= 10_000; n++) {
    for (let multiple = 2 * n; multiple <= 10_000; multiple += n) composite[multiple] = 1
    expect(isPrime(n)).toBe(composite[n] === 0)
  }
})

test('what is no whole number above 1 is no prime', () => {
  for (const n of [0, 1, -7, 2.5, Number.NaN, Number.POSITIVE_INFINITY]) expect(isPrime(n)).toBe(false)
})

test('the next prime is the number itself where it is one', () => {
  expect([
    nextPrime(0),
    nextPrime(65_536),
    nextPrime(65_537),
    nextPrime(655_360),
    nextPrime(5_000_000),
  ]).toEqual([2, 65_537, 65_537, 655_373, 5_000_011])
})

test.each([Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY, '7', 7n, undefined])(
  'nextPrime refuses %s, for which it would look without end',
  (n) => {
    expect(() => Reflect.apply(nextPrime, undefined, [n])).toThrowError(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  },
)
