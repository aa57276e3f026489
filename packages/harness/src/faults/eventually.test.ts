import { expect, test } from 'vitest'
import { toMs } from './duration.ts'
import { eventually } from './eventually.ts'

test('answers with the first truthy answer', async () => {
  let asked = 0
  expect(await eventually(() => ++asked >= 3 && asked, { every: 0 })).toBe(3)
})

test('what the condition throws counts as not yet, and is the cause of the error', async () => {
  const refused = new Error('refused')
  const never = eventually(() => Promise.reject(refused), { within: 20, every: 1, what: 'it answers' })
  await expect(never).rejects.toMatchObject({
    code: 'TIMED_OUT',
    message: 'not true within 20 ms: it answers',
    cause: refused,
  })
})

test('a signal ends the wait', async () => {
  const controller = new AbortController()
  const wait = eventually(() => false, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(wait).rejects.toThrow(/enough|aborted/)
})

test.each([
  [0, 0],
  [250, 250],
  ['250ms', 250],
  ['30s', 30_000],
  ['1.5m', 90_000],
  ['2h', 7_200_000],
] as const)('reads %j as %d ms', (duration, ms) => {
  expect(toMs('within', duration)).toBe(ms)
})

test.each([
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 31,
  '600h',
  '',
  '30',
  '30 parsecs',
  's',
  '-1s',
  null,
  {},
])('refuses %j as a duration', (duration) => {
  expect(() => toMs('within', duration as never)).toThrow(/within must be milliseconds/)
})
