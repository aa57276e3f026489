import { setImmediate } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { RequestCache } from './request-cache.ts'
import { currentRequestScope, requestScope } from './request-scope.ts'

const broken = new Error('broken')

describe('a request scope', () => {
  test('is seen by what runs in it, later as well, and by nothing else', async () => {
    const inside = await requestScope(async () => {
      const before = currentRequestScope()
      await setImmediate()
      return [before, currentRequestScope()]
    })
    expect(inside[0]).toBeDefined()
    expect(inside[0]).toBe(inside[1])
    expect(currentRequestScope()).toBeUndefined()
  })

  test('one inside another is a request of its own', () => {
    requestScope(() => {
      const outer = currentRequestScope()
      requestScope(() => expect(currentRequestScope()).not.toBe(outer))
      expect(currentRequestScope()).toBe(outer)
    })
  })
})

describe('21: request cache', () => {
  test('two calls of one request are one execution, also when it rejects; none across requests', async () => {
    const cache = new RequestCache<number>()
    const work = vi.fn<() => Promise<number>>(() => Promise.reject(broken))
    const two = async (): Promise<boolean[]> => {
      const first = cache.run('a', work)
      const second = cache.run('a', work)
      await expect(first.answer).rejects.toBe(broken)
      await expect(second.answer).rejects.toBe(broken)
      await setImmediate()
      const third = cache.run('a', work)
      await expect(third.answer).rejects.toBe(broken)
      return [first.cached, second.cached, third.cached]
    }
    expect(await requestScope(two)).toEqual([false, true, true])
    expect(work).toHaveBeenCalledTimes(1)
    expect(await requestScope(two)).toEqual([false, true, true])
    expect(work).toHaveBeenCalledTimes(2)
    expect(await two()).toEqual([false, false, false])
    expect(work).toHaveBeenCalledTimes(5)
  })

  test('clear makes the next call an execution; keys such as __proto__ are ordinary', async () => {
    const cache = new RequestCache<number>()
    let runs = 0
    const run = (key: string): Promise<number> => cache.run(key, () => Promise.resolve(++runs)).answer
    await requestScope(async () => {
      expect([await run('__proto__'), await run('__proto__'), await run('')]).toEqual([1, 1, 2])
      expect([cache.clear('__proto__'), cache.clear('__proto__')]).toEqual([true, false])
      expect(await run('__proto__')).toBe(3)
    })
    expect(cache.clear('__proto__')).toBe(false)
  })

  test('keeps no more answers than max: the oldest goes', async () => {
    const cache = new RequestCache<string>({ max: 2 })
    const run = (key: string): boolean => cache.run(key, () => Promise.resolve(key)).cached
    requestScope(() => {
      expect(['a', 'b', 'c', 'b', 'c', 'a'].map(run)).toEqual([false, false, false, true, true, false])
    })
    expect(() => new RequestCache({ max: 0 })).toThrow('max')
  })

  test('a caller that leaves does not end it for the others; the last one does, and frees the key', async () => {
    const cache = new RequestCache<number>()
    const signals: (AbortSignal | undefined)[] = []
    const start = (signal: AbortSignal | undefined): Promise<number> => {
      signals.push(signal)
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    }
    await requestScope(async () => {
      const [one, two] = [new AbortController(), new AbortController()]
      const first = cache.run('a', start, one.signal).answer
      const second = cache.run('a', start, two.signal).answer
      one.abort('first')
      await expect(first).rejects.toBe('first')
      expect(signals[0]?.aborted).toBe(false)
      two.abort('second')
      await expect(second).rejects.toBe('second')
      expect(signals[0]?.aborted).toBe(true)
      expect(cache.run('a', () => Promise.resolve(7)).cached).toBe(false)
    })
  })

  test('a caller whose signal is aborted before starts nothing', async () => {
    const cache = new RequestCache<number>()
    const start = vi.fn<() => Promise<number>>()
    await requestScope(async () => {
      await expect(cache.run('a', start, AbortSignal.abort(broken)).answer).rejects.toBe(broken)
    })
    expect(start).not.toHaveBeenCalled()
  })
})
