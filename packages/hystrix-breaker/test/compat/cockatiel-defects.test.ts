import { expect, test, vi } from 'vitest'
import { type Library, ours, theirs } from './cockatiel-libraries.ts'
import { end, inVirtualTime, result } from './cockatiel-programs.ts'
import { thrownOutside } from './thrown-outside.ts'

interface Defect {
  readonly name: string
  readonly scenario: (library: Library) => Promise<unknown>
  readonly ours: unknown
  readonly theirs: unknown
}

const unsettled = 'nothing yet'

const defects: readonly Defect[] = [
  {
    name: 'a late failure reopens a half-open circuit, and the success of its probe is lost',
    ours: { afterLate: 'HalfOpen', afterProbe: 'Closed' },
    theirs: { afterLate: 'Open', afterProbe: 'Open' },
    scenario: (library) =>
      inVirtualTime(async () => {
        const policy = makeCircuit(library, 1000)
        const late = result(policy.execute(() => end('failure', 2500)))
        await result(policy.execute(() => end('failure', 0)))
        await vi.advanceTimersByTimeAsync(2000)
        const probe = result(policy.execute(() => end('success', 1000)))
        await vi.advanceTimersByTimeAsync(700)
        await late
        const afterLate = library.CircuitState[policy.state]
        await vi.advanceTimersByTimeAsync(1000)
        await probe
        return { afterLate, afterProbe: library.CircuitState[policy.state] }
      }),
  },
  {
    name: 'the windows of SamplingBreaker go on by one however much time has passed',
    ours: false,
    theirs: true,
    scenario: (library) =>
      inVirtualTime(async () => {
        const breaker = new library.SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 0.5 })
        for (let call = 0; call < 4; call++) breaker.failure(library.CircuitState.Closed)
        await vi.advanceTimersByTimeAsync(3_600_000)
        return breaker.failure(library.CircuitState.Closed)
      }),
  },
  {
    name: 'calls wait without end behind a half-open call that hangs',
    ours: { aborted: 'throws isTaskCancelledError', others: 'throws isBrokenCircuitError', state: 'Open' },
    theirs: { aborted: unsettled, others: unsettled, state: 'HalfOpen' },
    scenario: (library) =>
      inVirtualTime(async () => {
        const policy = makeCircuit(library, 90_000)
        await result(policy.execute(() => end('failure', 0)))
        await vi.advanceTimersByTimeAsync(90_000)
        void policy.execute(() => new Promise(() => {}))
        const aborter = new AbortController()
        const aborted = soFar(policy.execute(() => 'value', aborter.signal))
        const others = soFar(policy.execute(() => 'value'))
        aborter.abort()
        await vi.advanceTimersByTimeAsync(0)
        const afterAbort = aborted()
        await vi.advanceTimersByTimeAsync(60_000)
        return { aborted: afterAbort, others: others(), state: library.CircuitState[policy.state] }
      }),
  },
  {
    name: 'an abort does not end the wait before a retry',
    ours: { answer: 'throws failed', calls: 1 },
    theirs: { answer: unsettled, calls: 1 },
    scenario: (library) =>
      inVirtualTime(async () => {
        const backoff = new library.ConstantBackoff(30_000)
        const policy = library.retry(library.handleAll, { maxAttempts: 3, backoff })
        const aborter = new AbortController()
        let calls = 0
        const work = (): Promise<string> => {
          calls++
          return end('failure', 0)
        }
        const answer = soFar(policy.execute(work, aborter.signal))
        await vi.advanceTimersByTimeAsync(1000)
        aborter.abort()
        await vi.advanceTimersByTimeAsync(1000)
        return { answer: answer(), calls }
      }),
  },
  {
    name: 'an abort does not end the wait in the queue of a bulkhead',
    ours: { answer: 'throws isTaskCancelledError', queueSlots: 1 },
    theirs: { answer: unsettled, queueSlots: 0 },
    scenario: (library) =>
      inVirtualTime(async () => {
        const policy = library.bulkhead(1, 1)
        void policy.execute(() => new Promise(() => {}))
        const aborter = new AbortController()
        const answer = soFar(policy.execute(() => 'value', aborter.signal))
        aborter.abort()
        await vi.advanceTimersByTimeAsync(0)
        return { answer: answer(), queueSlots: policy.queueSlots }
      }),
  },
  {
    name: 'a call that waits in a bulkhead loses its place to calls that come later',
    ours: ['gets queued', 'gets newcomer', 'throws isBulkheadRejectedError'],
    theirs: ['throws isBulkheadRejectedError', 'gets newcomer', 'gets another'],
    scenario: async (library) => {
      const policy = library.bulkhead(1, 1)
      const { promise, resolve } = Promise.withResolvers<void>()
      const comesWithThis = Promise.withResolvers<[string, string]>()
      const first = policy.execute(() => promise)
      const queued = result(policy.execute(() => Promise.resolve('queued')))
      const tries = (): void => {
        if (policy.executionSlots === 0 && policy.queueSlots === 0) {
          queueMicrotask(tries)
          return
        }
        const newcomer = result(policy.execute(() => Promise.resolve('newcomer')))
        const another = result(policy.execute(() => Promise.resolve('another')))
        void Promise.all([newcomer, another]).then(comesWithThis.resolve)
      }
      resolve()
      queueMicrotask(tries)
      await first
      return [await queued, ...(await comesWithThis.promise)]
    },
  },
  {
    name: 'a listener that throws makes a call fail that succeeded',
    ours: { answer: 'gets value', outside: ['of a listener'] },
    theirs: { answer: 'throws of a listener', outside: [] },
    scenario: async (library) => {
      const policy = new library.NoopPolicy()
      policy.onSuccess(() => {
        throw new Error('of a listener')
      })
      let answer = ''
      const outside = await thrownOutside(async () => {
        answer = await result(policy.execute(() => 'value'))
      })
      return { answer, outside: outside.map((error) => error instanceof Error && error.message) }
    },
  },
  {
    name: "a caller's abort is told of as a timeout",
    ours: 0,
    theirs: 1,
    scenario: async (library) => {
      const policy = library.timeout(60_000, library.TimeoutStrategy.Aggressive)
      let timeouts = 0
      policy.onTimeout(() => timeouts++)
      const aborter = new AbortController()
      const answer = result(policy.execute(() => new Promise(() => {}), aborter.signal))
      aborter.abort()
      expect(await answer).toBe('throws isTaskCancelledError')
      return timeouts
    },
  },
  {
    name: 'a share of exactly the threshold opens where its product is rounded down',
    ours: false,
    theirs: true,
    scenario: async (library) => {
      const breaker = new library.CountBreaker({ threshold: 0.29, size: 100 })
      for (let call = 0; call < 71; call++) breaker.success(library.CircuitState.Closed)
      const answers = Array.from({ length: 29 }, () => breaker.failure(library.CircuitState.Closed))
      return answers.at(-1)
    },
  },
  {
    name: 'the exponent is not looked at without jitter',
    ours: [100, 300, 900],
    theirs: [100, 200, 400],
    scenario: async (library) => {
      const generator = library.noJitterGenerator
      const first = new library.ExponentialBackoff({ generator, initialDelay: 100, exponent: 3 }).next()
      return [first.duration, first.next(0).duration, first.next(0).next(0).duration]
    },
  },
  {
    name: 'a bulkhead tells of no success',
    ours: 1,
    theirs: 0,
    scenario: async (library) => {
      const policy = library.bulkhead(1)
      let successes = 0
      policy.onSuccess(() => successes++)
      await policy.execute(() => 'value')
      return successes
    },
  },
  {
    name: 'a wait longer than a timer can be is no wait',
    ours: 1,
    theirs: 2,
    scenario: (library) =>
      inVirtualTime(async () => {
        const backoff = new library.ConstantBackoff(2 ** 31)
        const policy = library.retry(library.handleAll, { maxAttempts: 1, backoff })
        let calls = 0
        void result(
          policy.execute(() => {
            calls++
            throw new Error('failed')
          }),
        )
        await vi.advanceTimersByTimeAsync(60_000)
        return calls
      }),
  },
]

test.each(defects)('cockatiel 4: $name', async ({ scenario, ...expected }) => {
  expect({ ours: await scenario(ours), theirs: await scenario(theirs) }).toEqual({
    ours: expected.ours,
    theirs: expected.theirs,
  })
})

function makeCircuit(library: Library, halfOpenAfter: number): InstanceType<Library['CircuitBreakerPolicy']> {
  const { circuitBreaker, ConsecutiveBreaker, handleAll } = library
  return circuitBreaker(handleAll, { halfOpenAfter, breaker: new ConsecutiveBreaker(1) })
}

function soFar(answer: Promise<unknown>): () => string {
  let text = unsettled
  void result(answer).then((settled) => (text = settled))
  return () => text
}
