import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { type Library, ours, theirs } from './cockatiel-libraries.ts'
import { breakerKind, end, inVirtualTime, makeBreaker, result } from './cockatiel-programs.ts'

// Outcomes second by second; none is without one, for those of cockatiel go on by one a call.
const seconds = fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 12,
})

const direction = fc.constantFrom<readonly [Library, Library]>([ours, theirs], [theirs, ours])

test('the saved state of a breaker goes on in the other library', async () => {
  await fc.assert(
    fc.asyncProperty(breakerKind, seconds, seconds, direction, (kind, before, after, [from, to]) =>
      inVirtualTime(async () => {
        const first = makeBreaker(from, kind)
        for (const outcomes of before) {
          for (const failed of outcomes) record(first, failed)
          await vi.advanceTimersByTimeAsync(1000)
        }
        const second = makeBreaker(to, kind)
        second.state = JSON.parse(JSON.stringify(first.state))
        for (const outcomes of after) {
          for (const failed of outcomes) expect(record(second, failed)).toBe(record(first, failed))
          await vi.advanceTimersByTimeAsync(1000)
        }
      }),
    ),
    { numRuns: 300 },
  )
})

test('the saved state of a circuit goes on in the other library', async () => {
  const waits = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(waits, fc.boolean(), direction, (steps, isolated, [from, to]) =>
      inVirtualTime(async () => {
        const options = (library: Library) => ({
          breaker: new library.ConsecutiveBreaker(2),
          halfOpenAfter: new library.IterableBackoff([1000, 2000, 3000]),
        })
        const first = from.circuitBreaker(from.handleAll, options(from))
        for (const step of steps) {
          await result(first.execute(() => end('failure', 0)))
          await vi.advanceTimersByTimeAsync(step * 500)
        }
        if (isolated) first.isolate()
        const initialState: unknown = JSON.parse(JSON.stringify(first))
        const second = to.circuitBreaker(to.handleAll, { ...options(to), initialState })
        for (const step of [0, ...steps]) {
          await vi.advanceTimersByTimeAsync(step * 500)
          expect(second.state).toBe(first.state)
          expect(await result(second.execute(() => end('failure', 0)))).toBe(
            await result(first.execute(() => end('failure', 0))),
          )
        }
      }),
    ),
    { numRuns: 200 },
  )
})

function record(breaker: ReturnType<typeof makeBreaker>, failed: boolean): boolean {
  if (failed) return breaker.failure(ours.CircuitState.Closed)
  breaker.success(ours.CircuitState.Closed)
  return false
}
