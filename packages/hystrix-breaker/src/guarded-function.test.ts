import { describe, expect, test } from 'vitest'
import { requestScope } from './batch/request-scope.ts'
import { breaker } from './guarded-function.ts'

const broken = new Error('broken')

describe('21: the request cache', () => {
  test('one execution in a scope, none across scopes, none shared outside', async () => {
    let runs = 0
    const user = breaker(async (id: string) => `${id} ${++runs}`, { cacheKey: (id) => id })
    const both = (): Promise<string[]> => Promise.all([user('a'), user('a'), user('b')])
    expect(await requestScope(both)).toEqual(['a 1', 'a 1', 'b 2'])
    expect(await requestScope(both)).toEqual(['a 3', 'a 3', 'b 4'])
    expect(await both()).toEqual(['a 5', 'a 6', 'b 7'])
    expect(user.breaker.metrics.total()).toMatchObject({ SUCCESS: 7, RESPONSE_FROM_CACHE: 2 })
    expect(user.breaker.settings.requestCache).toBe(true)
  })

  test('a rejection is shared too, with its events', async () => {
    let runs = 0
    const user = breaker(
      async (_id: string): Promise<string> => {
        runs++
        throw broken
      },
      { cacheKey: (id) => id },
    )
    await requestScope(async () => {
      const [first, second] = [user.start('a'), user.start('a')]
      const settled = await Promise.allSettled([first.answer, second.answer])
      expect(settled).toEqual([
        { status: 'rejected', reason: broken },
        { status: 'rejected', reason: broken },
      ])
      expect(first.events).toEqual(['FAILURE', 'FALLBACK_MISSING'])
      expect(second.events).toEqual(['FAILURE', 'FALLBACK_MISSING', 'RESPONSE_FROM_CACHE'])
    })
    expect(runs).toBe(1)
    expect(user.breaker.counts).toMatchObject({ total: 1, failures: 1 })
  })

  test('clearCache forgets one key of this request', async () => {
    let runs = 0
    const user = breaker(async (id: string) => `${id} ${++runs}`, { cacheKey: (id) => id })
    await requestScope(async () => {
      await user('a')
      expect(user.clearCache('a')).toBe(true)
      expect(user.clearCache('a')).toBe(false)
      expect(await user('a')).toBe('a 2')
    })
    expect(user.clearCache('a')).toBe(false)
  })

  test('a caller that gives up leaves the others their answer', async () => {
    const answer = Promise.withResolvers<string>()
    const user = breaker((_id: string) => answer.promise, { cacheKey: (id) => id, timeout: false })
    await requestScope(async () => {
      const controller = new AbortController()
      const first = user.withSignal(controller.signal)('a')
      const second = user('a')
      controller.abort(broken)
      await expect(first).rejects.toBe(broken)
      answer.resolve('for the second')
      expect(await second).toBe('for the second')
    })
  })

  test('a key function that throws rejects the call', async () => {
    const user = breaker(async () => 1, {
      cacheKey: () => {
        throw broken
      },
    })
    await expect(user()).rejects.toBe(broken)
  })
})
