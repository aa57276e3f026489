import * as cockatiel from 'cockatiel'
import { expect, expectTypeOf, test } from 'vitest'
import * as face from '../../src/compat/cockatiel.ts'

class HttpError extends Error {
  readonly status: number = 503
}

test('the face exports what cockatiel exports, and nothing else', () => {
  expect(Object.keys(face).toSorted()).toEqual(Object.keys(cockatiel).toSorted())
  expect({ ...face.CircuitState }).toEqual({ ...cockatiel.CircuitState })
  expect({ ...face.TimeoutStrategy }).toEqual({ ...cockatiel.TimeoutStrategy })
})

// The same code twice: it must compile against both.
test('code that uses all of the API compiles against cockatiel', async () => {
  const policy = cockatiel
    .handleType(HttpError, (error) => error.status === 503)
    .orType(TypeError)
    .orWhen((error) => error instanceof RangeError)
    .orWhenResult((value) => value === undefined)
    .orResultType(HttpError, (error) => error.status > 500)
  const breaker: cockatiel.CircuitBreakerPolicy = cockatiel.circuitBreaker(policy, {
    halfOpenAfter: new cockatiel.DelegateBackoff<cockatiel.IHalfOpenAfterBackoffContext>(
      ({ attempt }) => attempt * 2,
    ),
    breaker: new cockatiel.SamplingBreaker({ threshold: 0.2, duration: 30_000 }),
    halfOpenSampling: { calls: 3, threshold: 0.5 },
  })
  const retry: cockatiel.RetryPolicy = cockatiel.retry(policy, {
    maxAttempts: 2,
    backoff: new cockatiel.ExponentialBackoff({ generator: cockatiel.fullJitterGenerator, maxDelay: 10 }),
  })
  const all = cockatiel.wrap(
    retry,
    breaker,
    cockatiel.timeout(1000, cockatiel.TimeoutStrategy.Aggressive),
    cockatiel.bulkhead(3, 4),
    cockatiel.fallback(policy, async () => 'other'),
  )
  const states: Record<cockatiel.CircuitState, string> = { 0: 'a', 1: 'b', 2: 'c', 3: 'd' }
  const open: cockatiel.CircuitState.Open = cockatiel.CircuitState.Open
  breaker.onStateChange((state) => states[state])
  breaker.onBreak((reason) => ('isolated' in reason ? reason.isolated : 'error' in reason && reason.error))
  retry.onRetry(({ delay, attempt, ...reason }) => ('error' in reason ? reason.error : delay + attempt))
  const next: Promise<cockatiel.ISuccessEvent> = cockatiel.Event.toPromise(all.onSuccess)
  const answer = await all.execute(({ signal, attempt }) => (signal.aborted ? attempt : 7))
  expectTypeOf(answer).toExtend<number | string | Promise<string>>()
  const merged: cockatiel.IPolicy<cockatiel.IRetryContext, unknown> = all
  const custom: cockatiel.IBreaker = {
    state: 1,
    success: (state: cockatiel.CircuitState) => void state,
    failure: () => false,
  }
  expect([answer, open, await next, merged, custom]).toHaveLength(5)
})

test('and against the face', async () => {
  const policy = face
    .handleType(HttpError, (error) => error.status === 503)
    .orType(TypeError)
    .orWhen((error) => error instanceof RangeError)
    .orWhenResult((value) => value === undefined)
    .orResultType(HttpError, (error) => error.status > 500)
  const breaker: face.CircuitBreakerPolicy = face.circuitBreaker(policy, {
    halfOpenAfter: new face.DelegateBackoff<face.IHalfOpenAfterBackoffContext>(({ attempt }) => attempt * 2),
    breaker: new face.SamplingBreaker({ threshold: 0.2, duration: 30_000 }),
    halfOpenSampling: { calls: 3, threshold: 0.5 },
  })
  const retry: face.RetryPolicy = face.retry(policy, {
    maxAttempts: 2,
    backoff: new face.ExponentialBackoff({ generator: face.fullJitterGenerator, maxDelay: 10 }),
  })
  const all = face.wrap(
    retry,
    breaker,
    face.timeout(1000, face.TimeoutStrategy.Aggressive),
    face.bulkhead(3, 4),
    face.fallback(policy, async () => 'other'),
  )
  const states: Record<face.CircuitState, string> = { 0: 'a', 1: 'b', 2: 'c', 3: 'd' }
  const open: face.CircuitState.Open = face.CircuitState.Open
  breaker.onStateChange((state) => states[state])
  breaker.onBreak((reason) => ('isolated' in reason ? reason.isolated : 'error' in reason && reason.error))
  retry.onRetry(({ delay, attempt, ...reason }) => ('error' in reason ? reason.error : delay + attempt))
  const next: Promise<face.ISuccessEvent> = face.Event.toPromise(all.onSuccess)
  const answer = await all.execute(({ signal, attempt }) => (signal.aborted ? attempt : 7))
  expectTypeOf(answer).toExtend<number | string | Promise<string>>()
  const merged: face.IPolicy<face.IRetryContext, unknown> = all
  const custom: face.IBreaker = {
    state: 1,
    success: (state: face.CircuitState) => void state,
    failure: () => false,
  }
  expect([answer, open, await next, merged, custom]).toHaveLength(5)
})

test('policies are those of cockatiel by their types', () => {
  const contexts = [
    face.noop,
    face.retry(face.handleAll, {}),
    face.bulkhead(1),
    face.timeout(1, 'aggressive'),
  ]
  for (const policy of contexts) expectTypeOf(policy.execute).toBeFunction()
  expectTypeOf(face.noop).toExtend<cockatiel.IPolicy>()
  expectTypeOf(face.bulkhead(1)).toExtend<cockatiel.IPolicy>()
  expectTypeOf(face.retry(face.handleAll, {})).toExtend<cockatiel.IPolicy<cockatiel.IRetryContext>>()
  expectTypeOf(face.fallback(face.handleAll, 'a')).toExtend<
    cockatiel.IPolicy<cockatiel.IDefaultPolicyContext, string>
  >()
  expectTypeOf(new face.ConstantBackoff(1)).toExtend<cockatiel.IBackoffFactory<unknown>>()
  expectTypeOf(new face.ConsecutiveBreaker(1)).toExtend<cockatiel.IBreaker>()
  expectTypeOf<cockatiel.IBreaker>().toExtend<face.IBreaker>()
  expectTypeOf<cockatiel.IPolicy>().toExtend<face.IPolicy>()
  expectTypeOf<face.ICircuitBreakerOptions['halfOpenAfter']>().toExtend<
    cockatiel.ICircuitBreakerOptions['halfOpenAfter']
  >()
  // One of ours within one of theirs.
  expect(cockatiel.wrap(cockatiel.noop, face.noop).wrapped).toHaveLength(2)
})
