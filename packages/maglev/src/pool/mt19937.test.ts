import { expect, test } from 'vitest'
import { Mt19937 } from './mt19937.ts'

function nth(seed: number, n: number): number {
  const random = new Mt19937(seed)
  for (let i = 1; i < n; i++) random.next()
  return random.next()
}

test('the 10,000th number of the default seed is the one that the C++ standard requires', () => {
  // ISO C++ [rand.predef]: the 10,000th consecutive invocation of a default-constructed std::mt19937 gives 4123659995.
  expect(nth(5489, 10_000)).toBe(4_123_659_995)
})

test('the first numbers of the default seed', () => {
  const random = new Mt19937(5489)
  expect([random.next(), random.next(), random.next()]).toEqual([3_499_211_612, 581_869_302, 3_890_346_734])
})

test('a seed counts modulo 2^32', () => {
  expect(nth(2 ** 32 + 7, 1)).toBe(nth(7, 1))
})
