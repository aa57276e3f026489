import { expect, test, vi } from 'vitest'
import { broken, never, outcome } from '../../test/pipeline/outcome.ts'
import { isResilienceError } from '../errors.ts'
import { pipeline } from '../pipeline.ts'
import { fallback } from './fallback.ts'

const fails = (): Promise<never> => Promise.reject(broken)

test('answers in place of a failure, each of a chain given the error before', async () => {
  const api = pipeline(
    fallback([
      (error: unknown): string => {
        throw new TypeError('second', { cause: error })
      },
      (error: unknown) => (error instanceof TypeError && error.cause === broken ? 'third' : 'no'),
    ]),
  )
  expect(await api.run(fails)).toBe('third')
  expect(await api.run(() => 'first')).toBe('first')
})

test('where all fail, all errors are told in their order', async () => {
  const error = await pipeline(
    fallback([
      (): number => {
        throw new TypeError('second')
      },
      () => Promise.reject(undefined),
    ]),
  )
    .run(fails)
    .catch((reason: unknown) => reason)
  expect(isResilienceError(error) && error.code).toBe('FALLBACK_FAILED')
  expect(error instanceof Error && error.cause instanceof AggregateError && error.cause.errors).toEqual([
    broken,
    new TypeError('second'),
    undefined,
  ])
})

test('not for a caller that gave up, nor for an error that `when` lets pass', async () => {
  const answer = vi.fn<() => number>(() => 1)
  const controller = new AbortController()
  const run = pipeline(fallback(answer)).run(never, { signal: controller.signal })
  controller.abort('left')
  expect(await outcome(run)).toBe('left')
  expect(await outcome(pipeline(fallback(answer, { when: (error) => error !== broken })).run(fails))).toBe(
    broken,
  )
  expect(answer).not.toHaveBeenCalled()
})

test('a caller that gives up while the fallback runs ends that as well', async () => {
  const signals: AbortSignal[] = []
  const controller = new AbortController()
  const api = pipeline(
    fallback((_, { signal }) => {
      signals.push(signal)
      return never()
    }),
  )
  const run = api.run(
    () => {
      throw broken
    },
    { signal: controller.signal },
  )
  controller.abort('left')
  expect(await outcome(run)).toBe('left')
  expect(signals[0]?.aborted).toBe(true)
})

test('no more than max fallbacks at once', async () => {
  const hold = Promise.withResolvers<string>()
  const api = pipeline(fallback(() => hold.promise, { max: 1 }))
  const first = api.run(fails)
  expect(await outcome(api.run(fails))).toBe('FALLBACK_FAILED')
  hold.resolve('one')
  expect(await first).toBe('one')
  expect(await api.run(fails)).toBe('one')
})

test('a fallback that goes through its own pipeline does not hang', async () => {
  const api = pipeline(
    fallback((error): Promise<unknown> => (error === broken ? api.run(() => 'inner') : never())),
  )
  expect(await api.run(fails)).toBe('inner')
})

test.each([
  ['fallback', []],
  ['fallback', [3]],
])('refuses %s', (name, answers) => {
  expect(() => fallback(JSON.parse(JSON.stringify(answers)))).toThrow(name)
})
