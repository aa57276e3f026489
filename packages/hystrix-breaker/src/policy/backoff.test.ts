import { decorrelatedJitterGenerator } from 'cockatiel'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type Backoff, exponential } from './backoff.ts'

const attempts = Array.from({ length: 12 }, (_, at) => at + 1)

function waits(backoff: Backoff): number[] {
  const waitOf = backoff.forRun?.() ?? backoff
  return attempts.map(waitOf)
}

/** Gives these numbers in turn, again and again. */
function given(draws: readonly number[]): () => number {
  let at = 0
  return () => draws[at++ % draws.length] ?? 0
}

const draws = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1 })

describe('exponential', () => {
  test('doubles from initial up to max', () => {
    expect(waits(exponential({ initial: 100, max: '1s' })).slice(0, 6)).toEqual([
      100, 200, 400, 800, 1000, 1000,
    ])
    expect(exponential({ initial: 1, factor: 1000, max: '1d' })(1000)).toBe(86_400_000)
  })

  test('full jitter is random * min(max, initial * 2^n)', () => {
    fc.assert(
      fc.property(draws, (numbers) => {
        const [next, again] = [given(numbers), given(numbers)]
        const jittered = waits(exponential({ initial: 100, max: 3000, jitter: 'full', random: { next } }))
        expect(jittered).toEqual(attempts.map((n) => again() * Math.min(3000, 100 * 2 ** (n - 1))))
      }),
    )
  })

  test("decorrelated jitter is, draw for draw, cockatiel's port of Polly's", () => {
    fc.assert(
      fc.property(
        draws,
        fc.integer({ min: 1, max: 5000 }),
        fc.constantFrom(1.5, 2, 3),
        (numbers, initial, factor) => {
          const options = {
            initialDelay: initial,
            maxDelay: 30_000,
            exponent: factor,
            maxAttempts: 100,
            generator: decorrelatedJitterGenerator,
          }
          const random = vi.spyOn(Math, 'random').mockImplementation(given(numbers))
          try {
            let state: Parameters<typeof decorrelatedJitterGenerator>[0]
            const theirs = attempts.map(() => {
              const [wait, after] = decorrelatedJitterGenerator(state, options)
              state = after
              return wait
            })
            const ours = exponential({
              initial,
              factor,
              max: 30_000,
              jitter: 'decorrelated',
              random: { next: given(numbers) },
            })
            expect(waits(ours)).toEqual(theirs)
          } finally {
            random.mockRestore()
          }
        },
      ),
    )
  })

  test('a share of 0 to 1 is drawn from the end of each wait', () => {
    const random = { next: () => 0.5 }
    expect(waits(exponential({ initial: 100, jitter: 0.2, random })).slice(0, 3)).toEqual([90, 180, 360])
  })

  test.each([
    ['initial', { initial: 0 }],
    ['max', { max: 'soon' }],
    ['factor', { factor: 0.5 }],
    ['jitter', { jitter: 2 }],
  ])('refuses %s', (name, options) => {
    expect(() => exponential(options)).toThrow(name)
  })
})
