import { expect, test } from 'vitest'
import {
  bulkhead,
  CircuitState,
  ConsecutiveBreaker,
  CountBreaker,
  circuitBreaker,
  type FailureReason,
  fallback,
  handleAll,
  handleWhen,
  type IBackoff,
  type IBreaker,
  type IPolicy,
  IterableBackoff,
  noop,
  retry,
  SamplingBreaker,
  TimeoutStrategy,
  timeout,
  wrap,
} from '../../src/compat/cockatiel.ts'
import { isResilienceError } from '../../src/errors.ts'
import { inVirtualTime, result } from './cockatiel-programs.ts'
import { thrownOutside } from './thrown-outside.ts'

const policies = (): IPolicy[] => [
  noop,
  bulkhead(1, 1),
  circuitBreaker(
    handleWhen(() => false),
    { halfOpenAfter: 1000, breaker: new ConsecutiveBreaker(2) },
  ),
  fallback(
    handleWhen(() => false),
    'other',
  ) as unknown as IPolicy,
  retry(
    handleWhen(() => false),
    {},
  ),
  timeout(1000, TimeoutStrategy.Cooperative),
  timeout(1000, TimeoutStrategy.Aggressive),
  wrap(bulkhead(1), timeout(1000, TimeoutStrategy.Aggressive)),
]

test('what a function throws or is rejected with comes back as it is', async () => {
  const frozen = Object.freeze(new Error('frozen'))
  for (const policy of policies()) {
    await expect(policy.execute(() => Promise.reject(undefined))).rejects.toBeUndefined()
    await expect(
      policy.execute(() => {
        throw frozen
      }),
    ).rejects.toBe(frozen)
    await expect(policy.execute(() => 1)).resolves.toBe(1)
    await expect(policy.execute(() => {})).resolves.toBeUndefined()
  }
})

test('a thenable is waited for, whatever it does', async () => {
  for (const policy of policies()) {
    const twice: PromiseLike<string> = {
      // oxlint-disable-next-line unicorn/no-thenable
      then: (resolved) => {
        void resolved?.('first')
        void resolved?.('second')
        throw new Error('too late')
      },
    }
    await expect(policy.execute(() => twice)).resolves.toBe('first')
    const throws = {
      // oxlint-disable-next-line unicorn/no-thenable
      get then(): never {
        throw new Error('of then')
      },
    }
    await expect(policy.execute(() => throws)).rejects.toThrow('of then')
  }
})

test('what is no function rejects, and takes no place', async () => {
  const policy = bulkhead(1)
  await expect(Reflect.apply(policy.execute, policy, [undefined])).rejects.toThrow(TypeError)
  expect(policy.executionSlots).toBe(1)
})

test('a filter that throws rejects the call with what it threw', async () => {
  const policy = retry(
    handleWhen(() => {
      throw new Error('of the filter')
    }),
    {},
  )
  await expect(policy.execute(() => Promise.reject(new Error('of the call')))).rejects.toThrow(
    'of the filter',
  )
})

test('a backoff that throws ends a retry, and opens a circuit all the same', async () => {
  const backoff = {
    next: () => {
      throw new Error('of the backoff')
    },
  }
  const failing = (): never => {
    throw new Error('of the call')
  }
  await expect(retry(handleAll, { backoff }).execute(failing)).rejects.toThrow('of the backoff')
  const circuit = circuitBreaker(handleAll, { halfOpenAfter: backoff, breaker: new ConsecutiveBreaker(1) })
  const thrown = await thrownOutside(() => result(circuit.execute(failing)))
  expect(thrown).toEqual([new Error('of the backoff')])
  expect(circuit.state).toBe(CircuitState.Open)
})

test('a breaker that throws has nothing to say', async () => {
  const breaker: IBreaker = {
    state: undefined,
    success: () => {
      throw new Error('success')
    },
    failure: () => {
      throw new Error('failure')
    },
  }
  const circuit = circuitBreaker(handleAll, { halfOpenAfter: 1000, breaker })
  const answers: string[] = []
  const thrown = await thrownOutside(async () => {
    answers.push(await result(circuit.execute(() => 'value')))
    answers.push(await result(circuit.execute(() => Promise.reject(new Error('of the call')))))
  })
  expect(answers).toEqual(['gets value', 'throws of the call'])
  expect(thrown).toEqual([new Error('success'), new Error('failure')])
  expect(circuit.state).toBe(CircuitState.Closed)
})

test('a listener sees the new state, and may call the circuit', async () => {
  const circuit = circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(1) })
  const seen: unknown[] = []
  circuit.onBreak(() => {
    seen.push(circuit.state)
    void result(circuit.execute(() => 'value')).then((text) => seen.push(text))
  })
  await result(circuit.execute(() => Promise.reject(new Error('failed'))))
  await new Promise((resolve) => setImmediate(resolve))
  expect(seen).toEqual([CircuitState.Open, 'throws isBrokenCircuitError'])
})

test('twenty thousand calls that wait and end at once do not grow the stack', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const circuit = circuitBreaker(handleAll, { halfOpenAfter: 60_000, breaker: new ConsecutiveBreaker(1) })
  const gate = bulkhead(1, Infinity)
  const policy = wrap(gate, circuit)
  const first = gate.execute(() => promise)
  const held = circuit.isolate()
  const answers = Array.from({ length: 20_000 }, () => policy.execute(() => 1))
  resolve()
  await first
  const ends = await Promise.allSettled(answers)
  expect(ends.every(({ status }) => status === 'rejected')).toBe(true)
  expect(gate.executionSlots).toBe(1)
  held.dispose()
})

test('options that cannot be are refused by name', () => {
  const breaker = new ConsecutiveBreaker(1)
  const circuit = (options: object) => () =>
    circuitBreaker(handleAll, { breaker, halfOpenAfter: 1, ...options })
  const wrong: [() => unknown, string][] = [
    [() => bulkhead(Number.NaN), 'capacity'],
    [() => bulkhead(1, -1), 'queueCapacity'],
    [() => timeout(-1, TimeoutStrategy.Aggressive), 'duration'],
    [() => timeout(2 ** 31, TimeoutStrategy.Aggressive), 'duration'],
    [() => Reflect.apply(timeout, undefined, [1, 'eager']), 'strategy'],
    [() => retry(handleAll, { maxAttempts: Number.NaN }), 'maxAttempts'],
    [() => new IterableBackoff([]), 'IterableBackoff'],
    [() => new ConsecutiveBreaker(Number.NaN), 'threshold'],
    [() => new CountBreaker({ threshold: Number.NaN, size: 1 }), 'threshold'],
    [() => new SamplingBreaker({ threshold: 0.5, duration: Number.NaN }), 'duration'],
    [circuit({ halfOpenAfter: -1 }), 'halfOpenAfter'],
    [circuit({ halfOpenAfter: undefined }), 'halfOpenAfter'],
    [circuit({ breaker: {} }), 'breaker'],
    [circuit({ probeTimeout: 0 }), 'probeTimeout'],
    [circuit({ halfOpenSampling: { calls: 0, threshold: 0 } }), 'halfOpenSampling.calls'],
    [circuit({ halfOpenSampling: { calls: 1, threshold: 1 } }), 'halfOpenSampling.threshold'],
    [() => Reflect.apply(wrap, undefined, []), 'wrap'],
  ]
  for (const [make, name] of wrong) {
    expect(make).toThrow(RangeError)
    expect(make).toThrow(name)
  }
})

test('a saved state that cannot be is refused, and nothing has changed', () => {
  const states: unknown[] = [
    5,
    {},
    JSON.parse('{"__proto__":{"ownState":{"value":0},"breakerState":0}}'),
    { ownState: { value: 7 }, breakerState: 0 },
    { ownState: { value: 1, openedAt: Number.NaN, attemptNo: 1 }, breakerState: 0 },
    { ownState: { value: 1, openedAt: 0, attemptNo: 1e300 }, breakerState: 0 },
    { ownState: { value: 3, counters: -1 }, breakerState: 0 },
    { ownState: { value: 0 } },
  ]
  for (const initialState of states) {
    const breaker = new ConsecutiveBreaker(3)
    breaker.state = 2
    const make = (): unknown => circuitBreaker(handleAll, { halfOpenAfter: 1, breaker, initialState })
    expect(make).toThrow(
      expect.toSatisfy((error: unknown) => isResilienceError(error) && error.code === 'INVALID_SNAPSHOT'),
    )
    expect(breaker.state).toBe(2)
  }
})

test('a saved state of very many attempts is read at once', () => {
  let asked = 0
  const backoff: IBackoff<unknown> = { duration: 1000, next: () => (asked++, backoff) }
  const initialState = {
    ownState: { value: 1, openedAt: Date.now(), attemptNo: 2 ** 32 - 1 },
    breakerState: 0,
  }
  const options = { breaker: new ConsecutiveBreaker(1), halfOpenAfter: backoff, initialState }
  expect(circuitBreaker(handleAll, options).state).toBe(CircuitState.Open)
  expect(asked).toBeLessThanOrEqual(10_000)
})

test('a breaker refuses a state that cannot be, and nothing has changed', () =>
  inVirtualTime(async () => {
    for (const breaker of [
      new CountBreaker({ threshold: 0.5, size: 3 }),
      new SamplingBreaker({ threshold: 0.5, duration: 5000 }),
    ]) {
      breaker.failure(CircuitState.Closed)
      const before = breaker.state
      for (const saved of [undefined, {}, { samples: [], windows: 1 }, { samples: [7], windows: [{}] }]) {
        expect(() => {
          breaker.state = saved
        }).toThrow('saved state')
      }
      expect(breaker.state).toEqual(before)
    }
  }))

test('a policy of the caller can be wrapped, and adds its fields to the context', async () => {
  const own: IPolicy<{ signal: AbortSignal; trace: string }> = {
    _altReturn: undefined as never,
    onSuccess: noop.onSuccess,
    onFailure: noop.onFailure,
    execute: async (fn, signal = new AbortController().signal) => fn({ signal, trace: 'id' }),
  }
  const policy = wrap(retry(handleAll, { maxAttempts: 1 }), own, timeout(1000, TimeoutStrategy.Aggressive))
  const seen = await policy.execute((context) => ({ ...context }))
  expect(seen).toEqual({ attempt: 0, trace: 'id', signal: expect.any(AbortSignal) })
  const failed: FailureReason<unknown>[] = []
  own.onFailure((event) => failed.push(event.reason))
  await expect(policy.execute(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
})
