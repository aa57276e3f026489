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

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses an rtt of %s', (rtt) => {
    expect(() => make().sample({ rtt, inflight: 1, dropped: false })).toThrow(RangeError)
  })
})
