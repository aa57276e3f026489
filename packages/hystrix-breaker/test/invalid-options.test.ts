import {
  AimdLimit,
  Breaker,
  breaker,
  bulkhead,
  Circuit,
  circuitSettings,
  collapser,
  exponential,
  Gradient2Limit,
  hedge,
  isResilienceError,
  limit,
  percentile,
  pipeline,
  Registry,
  retry,
  throttle,
  timeout,
  VegasLimit,
} from '@loadbearing/hystrix-breaker'
import { hystrixStream, turbineStream } from '@loadbearing/hystrix-breaker/stream'
import { expect, test } from 'vitest'

const quiet = (): void => {}
const load = (ids: number[]): number[] => ids

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

/** As from JavaScript, whose callers pass what the types forbid. */
function call(f: (...args: never[]) => unknown, ...args: unknown[]): () => unknown {
  return () => Reflect.apply(f, undefined, args)
}

function on(target: { on(...args: never[]): unknown }, ...args: unknown[]): () => unknown {
  return () => Reflect.apply(target.on, target, args)
}

const clock = { now: () => 0 }
const wrong: readonly [name: string, () => unknown][] = [
  ['options must be an object', call(breaker, quiet, null)],
  ['options must be an object', call(breaker, quiet, 5)],
  ['options must be an object', call(breaker, quiet, [])],
  ['cacheKey', call(breaker, quiet, { cacheKey: '' })],
  ['cacheKey', call(breaker, quiet, { cacheKey: 0 })],
  ['exponential must be an object', call(exponential, null)],
  ['"intial"', call(exponential, { intial: 5 })],
  ['random', call(exponential, { random: Math.random })],
  ['gradient2 must be an object', call(limit.gradient2, null)],
  ['vegas must be an object', call(limit.vegas, 5)],
  ['aimd must be an object', call(limit.aimd, [])],
  ['limit.by', call(limit.by, null)],
  ['limit.by', call(limit.by, { limit: 5 })],
  ['retryResult', call(retry, { retryResult: 0 })],
  ['accept', call(hedge, { accept: '' })],
  ['clock', call(retry, { clock })],
  ['clock', call(hedge, { clock })],
  ['clock', call(throttle, { clock })],
  ['clock', call(timeout, '1s', { clock })],
  ['clock', call(bulkhead, { max: 1, clock })],
  ['clock', call(limit.aimd, { clock })],
  ['clock', call(collapser, { load, clock })],
  ['clock', call(hystrixStream, new Registry(), { clock })],
  ['clock', call(turbineStream, [], { clock })],
  ['random', call(throttle, { random: 5 })],
  ['random', call(limit.vegas, { random: {} })],
  ['random', () => Reflect.construct(VegasLimit, [{}, {}])],
  ['volumeThreshold', () => Reflect.construct(Breaker, [{ volumeThreshold: null }])],
  ['window', () => Reflect.construct(Breaker, [{ window: null }])],
  [
    'bulkhead: queue must not be null',
    () => Reflect.construct(Breaker, [{ bulkhead: { max: 1, queue: null } }]),
  ],
  ['attempts', call(retry, { attempts: null })],
  ['name must be a text, not a revoked proxy', () => Reflect.construct(Breaker, [{ name: revoked() }])],
  ['"__proto__"', on(pipeline(), '__proto__', quiet)],
  ['"nonsense"', on(pipeline(), 'nonsense', quiet)],
  ['listener', on(pipeline(), 'retry', 5)],
  ['"toString"', on(new Registry(), 'toString', quiet)],
  ['an object', on(new Breaker(), Object.create(null), quiet)],
  ['"constructor"', on(turbineStream([]), 'constructor', quiet)],
  ['sorted', call(percentile, null, 50)],
  ['percent', call(percentile, [1, 2], Number.NaN)],
  ['percent', call(percentile, [1, 2], 50n)],
  ['make must be a function', () => Reflect.apply(new Registry().getOrCreate, new Registry(), ['a', 5])],
  ['make must give', () => Reflect.apply(new Registry().getOrCreate, new Registry(), ['a', () => undefined])],
]

test.each(wrong)('27: a RangeError names %s', (name, make) => {
  expect(make).toThrow(RangeError)
  expect(make).toThrow(name)
  expect(make).toThrow(expect.toSatisfy(isResilienceError))
})

test.each([
  ['AimdLimit', () => new AimdLimit()],
  ['Gradient2Limit', () => new Gradient2Limit()],
  ['VegasLimit', () => new VegasLimit()],
])('%s: a sample that is none changes nothing', (_, make) => {
  const own = make()
  const before = own.limit
  for (const inflight of [Number.NaN, -1, '50', 50n, null, undefined]) {
    const sample = { rtt: 10, inflight, dropped: false }
    expect(() => Reflect.apply(own.sample, own, [sample])).toThrow('inflight')
  }
  for (const rtt of [10n, '10', null, [10]]) {
    const sample = { rtt, inflight: 50, dropped: false }
    expect(() => Reflect.apply(own.sample, own, [sample])).toThrow('rtt')
  }
  expect(own.limit).toBe(before)
})

test.each([['yesterday'], [null], [Number.NaN], [{}], [5n]])(
  'a snapshot that was taken at %s is refused, and nothing changes',
  (takenAt) => {
    const own = new Breaker()
    const snapshot = { ...new Breaker().snapshot(), state: 'open', waitLeft: 5000, takenAt }
    expect(() => Reflect.apply(own.restore, own, [snapshot])).toThrow(
      expect.objectContaining({ code: 'INVALID_SNAPSHOT', message: expect.stringContaining('takenAt') }),
    )
    expect(own.state).toBe('closed')
  },
)

test('a circuit that is restored with an age that is none opens no longer than it would', () => {
  const own = new Circuit(circuitSettings())
  const saved = { ...own.snapshot(0), state: 'open', waitLeft: 5000 }
  own.restore(saved, 0, Number.NaN)
  expect(own.refusal(4999)).toEqual({ state: 'open', retryAfter: 1 })
  expect(own.refusal(5000)).toBeUndefined()
})
