import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Throttle } from './throttle.ts'

test('23: with a dead backend the probability is the formula over the last window, counted anew each time', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(300), fc.boolean()), { maxLength: 200, size: 'max' }),
      fc.constantFrom(1, 1.5, 2, 3),
      (steps, k) => {
        const throttle = new Throttle({ k, window: 1000 })
        const requests: number[] = []
        const accepts: number[] = []
        let now = 0
        for (const [wait, accepted] of steps) {
          now += wait
          throttle.request(now)
          requests.push(now)
          if (accepted) {
            throttle.accept(now)
            accepts.push(now)
          }
          const young = (times: number[]): number => times.filter((at) => now - at < 1000).length
          const expected = Math.max(0, (young(requests) - k * young(accepts)) / (young(requests) + 1))
          expect(throttle.rejection(now)).toBeCloseTo(expected, 12)
        }
      },
    ),
  )
})

test('refuses an option that is none', () => {
  expect(() => new Throttle({ k: 0.5 })).toThrow('k must be')
})
