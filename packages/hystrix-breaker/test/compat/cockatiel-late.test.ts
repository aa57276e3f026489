import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from '../../src/compat/cockatiel.ts'
import { inVirtualTime } from './cockatiel-programs.ts'

class Failed extends Error {
  /** How often the circuit had changed when the call began. */
  readonly epoch: number

  constructor(epoch: number) {
    super('failed')
    this.epoch = epoch
  }
}

const calls = fc.array(
  fc.record({
    wait: fc.integer({ min: 0, max: 600 }),
    takes: fc.integer({ min: 0, max: 3000 }),
    fails: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
)

test('a circuit opens only by a failure of a call that it let through in the same state', async () => {
  let late = 0
  let reopened = 0
  await fc.assert(
    fc.asyncProperty(calls, fc.integer({ min: 1, max: 3 }), async (program, probes) => {
      await inVirtualTime(async () => {
        const circuit = circuitBreaker(handleAll, {
          breaker: new ConsecutiveBreaker(2),
          halfOpenAfter: 700,
          halfOpenSampling: { calls: probes, threshold: 0.4 },
        })
        const strangers: unknown[] = []
        let epoch = 0
        let state: CircuitState = CircuitState.Closed
        circuit.onBreak((reason) => {
          const error = 'error' in reason ? reason.error : undefined
          if (!(error instanceof Failed) || error.epoch !== epoch) strangers.push(error)
          if (state === CircuitState.HalfOpen) reopened++
        })
        circuit.onStateChange((to) => {
          epoch++
          state = to
        })
        for (const { wait, takes, fails } of program) {
          await vi.advanceTimersByTimeAsync(wait)
          const work = async (): Promise<void> => {
            const began = epoch
            await new Promise((resolve) => setTimeout(resolve, takes))
            if (began !== epoch) late++
            if (fails) throw new Failed(began)
          }
          void circuit.execute(work).catch(() => {})
        }
        await vi.advanceTimersByTimeAsync(10_000)
        expect(strangers).toEqual([])
      })
    }),
    { numRuns: 300 },
  )
  expect(late).toBeGreaterThan(100)
  expect(reopened).toBeGreaterThan(10)
})
