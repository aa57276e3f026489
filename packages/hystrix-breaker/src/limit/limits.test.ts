import { describe, expect, test } from 'vitest'
import { AimdLimit } from './aimd.ts'
import { Gradient2Limit } from './gradient2.ts'
import { VegasLimit } from './vegas.ts'

// That they equal the Java classes step for step is shown by `pnpm differential hystrix-breaker`.
describe.each([
  ['AimdLimit', (): AimdLimit => new AimdLimit({ minLimit: 5 })],
  ['Gradient2Limit', (): Gradient2Limit => new Gradient2Limit({ minLimit: 5 })],
  ['VegasLimit', (): VegasLimit => new VegasLimit({}, { next: () => 0.5 })],
])('%s', (_, make) => {
  test('grows while the round trip stays and the limit is used', () => {
    const limit = make()
    for (let call = 0; call < 100; call++) limit.sample({ rtt: 10, inflight: limit.limit, dropped: false })
    expect(limit.limit).toBeGreaterThan(20)
  })

  test('shrinks while calls become slower and are dropped', () => {
    const limit = make()
    for (let call = 1; call < 100; call++)
      limit.sample({ rtt: 10 * 2 ** Math.min(call, 20), inflight: limit.limit, dropped: true })
    expect(limit.limit).toBeLessThan(20)
  })

  test.each([0, -1, Number.NaN, Number.MAX_VALUE, Number.POSITIVE_INFINITY])(
    'refuses an rtt of %s',
    (rtt) => {
      expect(() => make().sample({ rtt, inflight: 1, dropped: false })).toThrow(RangeError)
    },
  )
})

describe('a maximum below the default minimum', () => {
  const samples = [
    { rtt: 10, inflight: 10, dropped: false },
    { rtt: 30, inflight: 20, dropped: true },
  ]

  // What the Java classes answer.
  test('is the limit of AIMD, and is passed by that of Gradient2', () => {
    const aimd = new AimdLimit({ maxLimit: 10, initialLimit: 5 })
    expect(samples.map((sample) => aimd.sample(sample))).toEqual([10, 10])
    const gradient2 = new Gradient2Limit({ maxConcurrency: 10, initialLimit: 5 })
    expect(samples.map((sample) => gradient2.sample(sample))).toEqual([20, 20])
  })

  test('is refused where the minimum is given', () => {
    expect(() => new AimdLimit({ minLimit: 20, maxLimit: 10 })).toThrow(/minLimit/)
    expect(() => new Gradient2Limit({ minLimit: 20, maxConcurrency: 10 })).toThrow(/minLimit/)
  })
})
