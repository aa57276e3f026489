import { describe, expect, test } from 'vitest'
import { collapser } from './batch/collapser.ts'
import { requestScope } from './batch/request-scope.ts'
import { Breaker } from './breaker.ts'
import { command } from './command.ts'
import { breaker } from './guarded-function.ts'
import { pipeline } from './pipeline.ts'

/** As polyfills make them: no AbortSignal of this realm. */
class ForeignSignal extends EventTarget {
  aborted = false
  reason: unknown
  listeners = 0

  override addEventListener(...given: Parameters<EventTarget['addEventListener']>): void {
    this.listeners++
    super.addEventListener(...given)
  }

  override removeEventListener(...given: Parameters<EventTarget['removeEventListener']>): void {
    this.listeners--
    super.removeEventListener(...given)
  }

  abort(reason: unknown): void {
    this.aborted = true
    this.reason = reason
    this.dispatchEvent(new Event('abort'))
  }
}

const never = (): Promise<never> => new Promise(() => {})
const guarded = breaker(never, { cacheKey: () => 'key' })
const asked = command<never>()
const collected = collapser<number, never>({ load: never, max: 1 })
const api = pipeline()
const uncached = collapser<number, never>({ load: never, max: 1, cache: false })

// Their types want an AbortSignal: what callers without types give is tried.
const entries: readonly [string, (signal: unknown) => unknown][] = [
  ['a breaker', (signal) => Reflect.apply(Breaker.prototype.execute, new Breaker(), [never, { signal }])],
  ['a guarded function', (signal) => Reflect.apply(guarded.withSignal, guarded, [signal])()],
  ['a command', (signal) => Reflect.apply(asked.execute, asked, [never, { signal, cacheKey: 'key' }])],
  ['a pipeline', (signal) => Reflect.apply(api.run, api, [never, { signal }])],
  ['a collapser', (signal) => Reflect.apply(collected, undefined, [1, { signal }])],
  ['a collapser without cache', (signal) => Reflect.apply(uncached, undefined, [1, { signal }])],
]

describe.each(entries)('%s', (_, call) => {
  test('takes a signal of another realm', async () => {
    const signal = new ForeignSignal()
    const answer = requestScope(() => call(signal))
    signal.abort('left')
    await expect(answer).rejects.toBe('left')
  })

  test.each([null, 3, 'stop', {}, { aborted: false }])('rejects with what %j is not', async (signal) => {
    for (const answer of [call(signal), requestScope(() => call(signal))])
      await expect(answer).rejects.toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringContaining('signal'),
      })
  })
})

test('a breaker leaves no listener on a signal of another realm', async () => {
  const signal = new ForeignSignal()
  const given: unknown[] = [() => 1, { signal }]
  expect(await Reflect.apply(Breaker.prototype.execute, new Breaker(), given)).toBe(1)
  expect(signal.listeners).toBe(0)
})
