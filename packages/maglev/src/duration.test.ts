import { expect, test } from 'vitest'
import { parseDuration, parsePositiveDuration } from './duration.ts'

test.each<[number | string, number]>([
  [0, 0],
  [1.5, 1.5],
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5m', 90_000],
  ['2h', 7_200_000],
  ['24d', 2_073_600_000],
  ['10', 10],
  ['1 s', 1000],
])('%s is %d ms', (given, ms) => {
  expect(parseDuration('ttl', given)).toBe(ms)
})

test.each([
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  '',
  's',
  '1w',
  '-1s',
  '1e3s',
  '25d',
  '9'.repeat(1_000_000),
  undefined,
  null,
  {},
  [30],
])('%s is refused by name', (given) => {
  expect(() => parseDuration('tracking.ttl', given)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('tracking.ttl') }),
  )
})

test('where 0 makes no sense it is refused', () => {
  expect(() => parsePositiveDuration('interval', '0s')).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION' }),
  )
})
