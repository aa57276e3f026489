import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { broken, never, outcome } from '../../test/pipeline/outcome.ts'
import { pipeline } from '../pipeline.ts'
import { throttle } from './throttle.ts'

test('23: with a dead backend calls are refused by the formula, and counted before they are sent', () =>
  simulate({ runs: 3 }, async ({ clock, random }) => {
    const policy = throttle({ k: 2, window: '2m', clock, random: { next: () => random.next() } })
    const api = pipeline(policy)
    for (let call = 0; call < 500; call++) {
      await clock.sleep(10)
      await api.run(() => 1)
    }
    expect(policy.rejection).toBe(0)
    let refused = 0
    let expected = 0
    let requests = 500
    for (let call = 0; call < 5000; call++) {
      await clock.sleep(10)
      const p = Math.max(0, (requests - 2 * 500) / (requests + 1))
      expect(Math.abs(policy.rejection - p)).toBeLessThan(0.01)
      expected += p
      requests++
      if ((await outcome(api.run(() => Promise.reject(broken)))) === 'THROTTLED') refused++
    }
    // Of 5000 draws the standard deviation is 28 at most.
    expect(Math.abs(refused - expected)).toBeLessThan(6 * 28)
    expect(refused).toBeGreaterThan(2500)
  }))

test('a request that is still under way is counted', async () => {
  const policy = throttle({ random: { next: () => 1 - Number.EPSILON } })
  const api = pipeline(policy)
  const runs = Array.from({ length: 9 }, () => api.run(never))
  expect(policy.rejection).toBe(9 / 10)
  const ends = runs.map(outcome)
  await api[Symbol.asyncDispose]()
  expect(await Promise.all(ends)).toEqual(Array.from({ length: 9 }, () => 'DISPOSED'))
})

test('1,000 callers that give up, and errors that acceptIf takes for answers, do not throttle', async () => {
  const policy = throttle({ acceptIf: (error) => error === broken })
  const api = pipeline(policy)
  for (let call = 0; call < 1000; call++) {
    const controller = new AbortController()
    const run = outcome(api.run(never, { signal: controller.signal }))
    controller.abort('left')
    expect(await run).toBe('left')
    expect(await outcome(api.run(() => Promise.reject(broken)))).toBe(broken)
  }
  expect(policy.rejection).toBe(0)
})

test.each([
  ['k', { k: 0 }],
  ['window', { window: 0 }],
  ['acceptIf', { acceptIf: 404 }],
  ['ratio', { ratio: 2 }],
])('refuses %s', (name, options: object) => {
  expect(() => throttle(options)).toThrow(name)
})
