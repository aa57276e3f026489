import { type SimulatedClock, simulate } from '@loadbearing/harness'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { isResilienceError } from '../errors.ts'
import type { BatchRequest } from './batch.ts'
import { type Collapser, collapser } from './collapser.ts'
import { requestScope } from './request-scope.ts'

const broken = new Error('broken')

async function inVirtualTime(body: (clock: SimulatedClock) => Promise<void>): Promise<void> {
  await simulate({ runs: 5 }, async ({ clock }) => {
    await body(clock)
    expect(clock.pending).toBe(0)
  })
}

async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise
  } catch (error) {
    return isResilienceError(error) ? error.code : error
  }
}

type Load = (ids: number[]) => Promise<number[]>

const doubled = (ids: readonly number[]): Promise<number[]> => Promise.resolve(ids.map((id) => id * 2))

describe('20: a batch', () => {
  test('100 concurrent ids are one load, and wait no longer than the window', () =>
    inVirtualTime(async (clock) => {
      const load = vi.fn<Load>(doubled)
      const get = collapser({ load, clock })
      const first = get(0)
      await clock.sleep(9)
      const rest = Array.from({ length: 99 }, (_, at) => get(at + 1))
      expect(await Promise.all([first, ...rest])).toEqual(Array.from({ length: 100 }, (_, at) => at * 2))
      expect(load).toHaveBeenCalledTimes(1)
      expect(clock.monotonic()).toBeLessThanOrEqual(10)
      expect(get.metrics.rolling()).toEqual({ requests: 100, batches: 1, fromCache: 0 })
      expect(get.metrics.batchSize().mean).toBe(100)
    }))

  test('starts at once with max requests', () =>
    inVirtualTime(async (clock) => {
      const load = vi.fn<Load>(doubled)
      const get = collapser({ load, max: 3, window: '1h', clock })
      expect(await Promise.all([1, 2, 3].map((id) => get(id)))).toEqual([2, 4, 6])
      expect(load).toHaveBeenCalledExactlyOnceWith([1, 2, 3], expect.anything())
      expect(clock.monotonic()).toBe(0)
    }))

  test('an id without an answer fails by its name, the others do not; so does one whose answer is an Error', () =>
    inVirtualTime(async (clock) => {
      const get = collapser({
        name: 'users',
        load: (ids: string[]) =>
          new Map(
            ids.flatMap((id) => (id === 'b' ? [] : [[id, id === 'c' ? broken : `user ${id}`] as const])),
          ),
        clock,
      })
      const asked = ['a', 'b', 'c'].map((id) => get(id))
      const [a, b, c] = await Promise.allSettled(asked)
      expect(a).toEqual({ status: 'fulfilled', value: 'user a' })
      expect(b).toMatchObject({ reason: { code: 'NO_RESPONSE', message: expect.stringContaining('"b"') } })
      expect(b).toMatchObject({
        reason: { message: expect.stringContaining("'mapResponseToRequests' implementation.") },
      })
      expect(c).toEqual({ status: 'rejected', reason: broken })
    }))

  test.each([
    ['rejects', () => Promise.reject(broken), broken],
    [
      'throws',
      (): number[] => {
        throw broken
      },
      broken,
    ],
    ['answers too few', () => [], 'NO_RESPONSE'],
    ['answers null', (): number[] => JSON.parse('null'), 'NO_RESPONSE'],
  ])('where load %s all get it', (_, load: () => number[] | Promise<number[]>, error) =>
    inVirtualTime(async (clock) => {
      const get = collapser<number, number>({ load, clock })
      expect(await Promise.all([outcome(get(1)), outcome(get(2))])).toEqual([error, error])
    }),
  )

  test('a mapping that fails half-way keeps the answers that it gave', () =>
    inVirtualTime(async (clock) => {
      const map = (rows: number[], requests: readonly BatchRequest<number, number>[]): void => {
        requests[0]?.succeed(rows[0] ?? 0)
        requests[1]?.fail(new RangeError('no such'))
        throw broken
      }
      const get = collapser({ load: doubled, map, clock })
      const all = await Promise.all([1, 2, 3].map((id) => outcome(get(id))))
      expect(all).toEqual([2, new RangeError('no such'), broken])
    }))

  test('shards are loads of their own', () =>
    inVirtualTime(async (clock) => {
      const load = vi.fn<Load>((ids) => (ids.includes(1) ? Promise.reject(broken) : doubled(ids)))
      const get = collapser({ load, shards: (id: number) => id % 2, clock })
      const all = await Promise.all([0, 1, 2, 3].map((id) => outcome(get(id))))
      expect(all).toEqual([0, broken, 4, broken])
      expect(load.mock.calls.map(([ids]) => ids)).toEqual([
        [0, 2],
        [1, 3],
      ])
    }))
})

describe('the same argument', () => {
  test('shares the answer, and is in the batch once', () =>
    inVirtualTime(async (clock) => {
      const load = vi.fn<Load>(doubled)
      const get = collapser({ load, clock })
      expect(await Promise.all([get(1), get(1), get(2)])).toEqual([2, 2, 4])
      expect(load).toHaveBeenCalledExactlyOnceWith([1, 2], expect.anything())
      expect(get.metrics.rolling()).toEqual({ requests: 2, batches: 1, fromCache: 1 })
    }))

  test('without cache it fails, and the first has its answer', () =>
    inVirtualTime(async (clock) => {
      const get = collapser({ load: doubled, cache: false, clock })
      const first = get(1)
      await expect(get(1)).rejects.toThrow('Duplicate argument in collapser batch')
      expect(await first).toBe(2)
    }))

  test('within a request it is asked for once, later and after a failure too, until it is cleared', () =>
    inVirtualTime(async (clock) => {
      const load = vi.fn<Load>((ids) => (ids.includes(3) ? Promise.reject(broken) : doubled(ids)))
      const get = collapser({ load, clock })
      await requestScope(async () => {
        expect(await outcome(get(1))).toBe(2)
        expect(await outcome(get(1))).toBe(2)
        expect(await outcome(get(3))).toBe(broken)
        expect(await outcome(get(3))).toBe(broken)
        expect(load).toHaveBeenCalledTimes(2)
        expect(get.clear(1)).toBe(true)
        expect(await outcome(get(1))).toBe(2)
      })
      expect(load).toHaveBeenCalledTimes(3)
      await requestScope(() => get(1))
      expect(load).toHaveBeenCalledTimes(4)
    }))
})

describe('scope', () => {
  const twoRequests = async (get: Collapser<number, number>): Promise<unknown> =>
    Promise.all([requestScope(() => get(1)), requestScope(() => get(2))])

  test('request: what two requests ask for is not put together', () =>
    inVirtualTime(async (clock) => {
      const load = vi.fn<Load>(doubled)
      expect(await twoRequests(collapser({ load, clock }))).toEqual([2, 4])
      expect(load).toHaveBeenCalledTimes(2)
    }))

  test('global: it is', () =>
    inVirtualTime(async (clock) => {
      const load = vi.fn<Load>(doubled)
      expect(await twoRequests(collapser({ load, scope: 'global', clock }))).toEqual([2, 4])
      expect(load).toHaveBeenCalledTimes(1)
    }))
})

describe('callers that leave', () => {
  test('before the start: the argument goes with its last one; nothing is loaded for nobody', () =>
    inVirtualTime(async (clock) => {
      const load = vi.fn<Load>(doubled)
      const get = collapser({ load, clock })
      const [one, two, three] = [new AbortController(), new AbortController(), new AbortController()]
      const left = [
        outcome(get(1, { signal: one.signal })),
        outcome(get(1, { signal: two.signal })),
        outcome(get(2, { signal: three.signal })),
      ]
      const stays = get(3)
      one.abort('one')
      three.abort('three')
      two.abort('two')
      expect(await Promise.all(left)).toEqual(['one', 'two', 'three'])
      expect(await stays).toBe(6)
      expect(load).toHaveBeenCalledExactlyOnceWith([3], expect.anything())

      const again = new AbortController()
      const gone = outcome(get(4, { signal: again.signal }))
      again.abort('again')
      expect(await gone).toBe('again')
      expect(clock.pending).toBe(0)
      expect(await get(5)).toBe(10)
      expect(load).toHaveBeenCalledTimes(2)
    }))

  test('one of two leaves the argument where it is', () =>
    inVirtualTime(async (clock) => {
      const get = collapser({ load: doubled, clock })
      const one = new AbortController()
      const left = outcome(get(1, { signal: one.signal }))
      const stays = get(1)
      one.abort('one')
      expect([await left, await stays]).toEqual(['one', 2])
    }))

  test('during the load: it is aborted with the last one', () =>
    inVirtualTime(async (clock) => {
      const signals: AbortSignal[] = []
      const get = collapser<number, number>({
        load: (_, { signal }) => {
          signals.push(signal)
          return new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason)),
          )
        },
        clock,
      })
      const controllers = [new AbortController(), new AbortController()]
      const asked = controllers.map(({ signal }, id) => outcome(get(id, { signal })))
      await clock.sleep(20)
      controllers[0]?.abort('first')
      expect(signals.map(({ aborted }) => aborted)).toEqual([false])
      controllers[1]?.abort('second')
      expect(signals.map(({ aborted }) => aborted)).toEqual([true])
      expect(await Promise.all(asked)).toEqual(['first', 'second'])
    }))
})

test('disposal: who waits and who is being loaded is told, and no timer is left', () =>
  inVirtualTime(async (clock) => {
    const signals: AbortSignal[] = []
    const get = collapser<number, number>({
      load: (_, { signal }) => {
        signals.push(signal)
        return new Promise(() => {})
      },
      clock,
    })
    const loading = get(1)
    await clock.sleep(11)
    const waiting = get(2)
    await get[Symbol.asyncDispose]()
    await expect(waiting).rejects.toThrow('Requests not executed before shutdown.')
    await expect(loading).rejects.toMatchObject({ code: 'DISPOSED' })
    await expect(get(3)).rejects.toThrow('Submitting requests after collapser is shutdown')
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  }))

test('every caller is answered as if it had asked alone, however calls and departures are mixed', async () => {
  const step = fc.record({
    wait: fc.nat(6),
    id: fc.nat(5),
    leaves: fc.option(fc.nat(12), { nil: undefined }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30, size: 'max' }),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      async (steps, max, inRequest) => {
        await simulate({ runs: 1 }, async ({ clock }) => {
          const loaded: number[] = []
          const get = collapser({
            max,
            clock,
            load: async (ids: number[]) => {
              expect(ids.length).toBeLessThanOrEqual(max)
              expect(new Set(ids).size).toBe(ids.length)
              loaded.push(...ids)
              await clock.sleep(3)
              return ids.map((id) => id * 2)
            },
          })
          const answers: Promise<unknown>[] = []
          const possible: unknown[][] = []
          const ask = async (): Promise<void> => {
            for (const { wait, id, leaves } of steps) {
              await clock.sleep(wait)
              if (leaves === undefined) {
                answers.push(outcome(get(id)))
                possible.push([id * 2])
              } else {
                const controller = new AbortController()
                clock.setTimeout(() => controller.abort('left'), leaves)
                answers.push(outcome(get(id, { signal: controller.signal })))
                possible.push([id * 2, 'left'])
              }
            }
          }
          await (inRequest ? requestScope(ask) : ask())
          const given = await Promise.all(answers)
          given.forEach((answer, at) => expect(possible[at]).toContain(answer))
          const ids = new Set(steps.map(({ id }) => id))
          const patient = steps.every(({ leaves }) => leaves === undefined)
          expect(loaded.length).toBeLessThanOrEqual(inRequest && patient ? ids.size : steps.length)
          await clock.sleep(20)
          expect(clock.pending).toBe(0)
        })
      },
    ),
    { numRuns: 60 },
  )
})

test.each([
  ['window', { window: 0 }],
  ['max', { max: 0 }],
  ['cache', { cache: 'yes' }],
  ['scope', { scope: 'session' }],
  ['shards', { shards: 3 }],
  ['load', { load: 3 }],
  ['name', { name: 3 }],
  ['colapse', { colapse: 3 }],
])('refuses %s', (name, options) => {
  const given: object = { load: doubled, ...options }
  expect(() => collapser(Object.assign({ load: doubled }, given))).toThrow(name)
})
