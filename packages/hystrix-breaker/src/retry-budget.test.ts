import { expect, test } from 'vitest'
import { RetryBudget } from './retry-budget.ts'

test('22: of 1,000 failing calls at 20 % at most 200 are retried, and the reserve', () => {
  const budget = new RetryBudget({ ttl: '10s', min: 3, ratio: 0.2 })
  let retries = 0
  for (let call = 0; call < 1000; call++) {
    budget.deposit(call)
    while (budget.withdraw(call)) retries++
  }
  expect(retries).toBe(200 + 3 * 10)
})

test('0 and 0 is never; deposits and withdrawals leave after ttl', () => {
  const none = new RetryBudget({ min: 0, ratio: 0 })
  none.deposit(0)
  expect(none.withdraw(0)).toBe(false)
  const budget = new RetryBudget({ ttl: 1000, min: 1, ratio: 1 })
  expect([budget.withdraw(0), budget.withdraw(999), budget.withdraw(1000)]).toEqual([true, false, true])
})

test.each([
  ['ratio', { ratio: -1 }],
  ['ttl', { ttl: 0 }],
  ['min', { min: Number.NaN }],
])('refuses %s', (name, options) => {
  expect(() => new RetryBudget(options)).toThrow(name)
})
