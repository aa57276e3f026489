import { context, type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { steppedClock } from '../../test/stream/stepped-clock.ts'
import {
  Breaker,
  breaker,
  circuitBreaker,
  fallback,
  hedge,
  pipeline,
  Registry,
  retry,
  timeout,
} from '../index.ts'
import { traceBreakers, traced } from './otel.ts'

const exporter = new InMemorySpanExporter()
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
const tracer = provider.getTracer('test')

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
})
afterAll(async () => {
  context.disable()
  await provider.shutdown()
})
beforeEach(() => exporter.reset())

const spans = (): ReadableSpan[] => exporter.getFinishedSpans()
const shown = ({ name, status, attributes, events }: ReadableSpan) => ({
  name,
  status: status.code,
  ...attributes,
  told: events.map((event) => event.name),
})
const down = async (): Promise<never> => {
  throw new TypeError('down')
}

/** A breaker in a registry that is traced. */
function watched(options = {}): { users: Breaker; stop: () => void; registry: Registry } {
  const registry = new Registry()
  const stop = traceBreakers(tracer, registry)
  const users = new Breaker({ name: 'users', group: 'accounts', volumeThreshold: 2, ...options })
  registry.add(users)
  return { users, stop, registry }
}

const common = { name: 'users', 'hystrix_breaker.name': 'users', 'hystrix_breaker.group': 'accounts' }

test('a span of each call: what went well, failed, was refused, was answered by a fallback, was given up', async () => {
  const { users } = watched({ volumeThreshold: 3 })
  expect(await users.execute(async () => 'well')).toBe('well')
  for (let n = 0; n < 2; n++) await users.execute(down).catch(() => {})
  await users.execute(async () => 'x').catch(() => {})
  expect(await users.execute(async () => 'x', { fallback: () => 'instead' })).toBe('instead')
  users.reset()
  const controller = new AbortController()
  const given = users.execute(() => new Promise(() => {}), { signal: controller.signal }).catch(() => {})
  controller.abort()
  await given
  const { UNSET, ERROR } = SpanStatusCode
  const closed = { 'hystrix_breaker.state': 'closed' }
  const open = { 'hystrix_breaker.state': 'open' }
  expect(spans().map(shown)).toEqual([
    { ...common, ...closed, status: UNSET, 'hystrix_breaker.events': ['SUCCESS'], told: [] },
    ...[1, 2].map(() => ({
      ...common,
      ...closed,
      status: ERROR,
      'error.type': 'TypeError',
      'hystrix_breaker.events': ['FAILURE', 'FALLBACK_MISSING'],
      told: ['exception'],
    })),
    {
      ...common,
      ...open,
      status: ERROR,
      'error.type': 'CIRCUIT_OPEN',
      'hystrix_breaker.events': ['SHORT_CIRCUITED', 'FALLBACK_MISSING'],
      told: ['exception'],
    },
    {
      ...common,
      ...open,
      status: UNSET,
      'hystrix_breaker.events': ['SHORT_CIRCUITED', 'FALLBACK_SUCCESS'],
      told: ['exception', 'fallback'],
    },
    { ...common, ...closed, status: UNSET, 'hystrix_breaker.events': ['CANCELLED'], told: [] },
  ])
  expect(spans().map(({ kind }) => kind)).toEqual(Array(6).fill(SpanKind.INTERNAL))
  expect(spans()[1]?.status.message).toBe('down')
})

/** The name of the parent of each span. */
function tree(): Record<string, string | undefined> {
  const names = new Map(spans().map((span) => [span.spanContext().spanId, span.name]))
  return Object.fromEntries(
    spans().map((span) => [span.name, names.get(span.parentSpanContext?.spanId ?? '')]),
  )
}

const inside = <T>(name: string, run: (span: Span) => Promise<T>): Promise<T> =>
  tracer.startActiveSpan(name, async (span) => {
    try {
      return await run(span)
    } finally {
      span.end()
    }
  })

test('the work and the fallback are inside of the span, also of a call that waited; what comes after is not', async () => {
  const { users } = watched({ bulkhead: { max: 1, queue: 1 }, volumeThreshold: 99 })
  const free = Promise.withResolvers<void>()
  const first = inside('request 1', () => users.execute(() => free.promise))
  const second = inside('request 2', async () => {
    await users.execute(() => inside('query', down), { fallback: () => inside('cache', async () => 'x') })
    await inside('after', async () => {})
  })
  free.resolve()
  await Promise.all([first, second])
  const [ofFirst, ofSecond] = spans().filter(({ name }) => name === 'users')
  const idOf = (wanted: string): string | undefined =>
    spans()
      .find(({ name }) => name === wanted)
      ?.spanContext().spanId
  expect(ofFirst?.parentSpanContext?.spanId).toBe(idOf('request 1'))
  expect(ofSecond?.parentSpanContext?.spanId).toBe(idOf('request 2'))
  expect(tree()).toMatchObject({ query: 'users', cache: 'users', after: 'request 2' })
  const query = spans().find(({ name }) => name === 'query')
  expect(query?.parentSpanContext?.spanId).toBe(ofSecond?.spanContext().spanId)
})

test('guarded functions, calls that share an answer, breakers that were there before and that come later', async () => {
  const registry = new Registry()
  const user = breaker(async (id: string) => `user ${id}`, { name: 'before' })
  registry.add(user)
  const stop = traceBreakers(tracer, registry)
  const later = new Breaker({ name: 'later' })
  registry.add(later)
  expect(await user('1')).toBe('user 1')
  const started = user.start('2')
  expect([await started.answer, started.events]).toEqual(['user 2', ['SUCCESS']])
  await later.execute(async () => {})
  const again = new Breaker({ name: 'later' })
  registry.add(again)
  await later.execute(async () => {})
  await again.execute(async () => {})
  stop()
  await user('3')
  await again.execute(async () => {})
  registry.add(new Breaker({ name: 'last' }))
  await registry.get('last')?.execute(async () => {})
  expect(spans().map(({ name }) => name)).toEqual(['before', 'before', 'later', 'later'])
  expect(Object.keys(again)).not.toContain('begin')
})

test('work that is no function, and a breaker that is disposed of', async () => {
  const { users } = watched()
  await expect(users.execute(5 as never)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  await users[Symbol.asyncDispose]()
  await expect(users.execute(async () => 1)).rejects.toMatchObject({ code: 'DISPOSED' })
  expect(spans().map((span) => span.attributes['error.type'])).toEqual(['DISPOSED'])
})

test('a run of a pipeline is a span, with an event for each retry; the breakers in it are its children', async () => {
  const { users } = watched({ volumeThreshold: 99 })
  const api = pipeline(
    { name: 'api' },
    traced(tracer),
    retry({ attempts: 3, backoff: 1 }),
    circuitBreaker(users),
  )
  let calls = 0
  const run = inside('request', () =>
    api.run(async () => {
      calls++
      if (calls < 3) return down()
      return inside('query', async () => 'the third')
    }),
  )
  expect(await run).toBe('the third')
  const ofRun = spans().find(({ name }) => name === 'api')
  expect(ofRun && shown(ofRun)).toEqual({
    name: 'api',
    status: SpanStatusCode.UNSET,
    'hystrix_breaker.name': 'api',
    'hystrix_breaker.attempts': 3,
    told: ['exception', 'retry', 'exception', 'retry'],
  })
  expect(ofRun?.events.flatMap(({ attributes }) => attributes?.['hystrix_breaker.attempt'] ?? [])).toEqual([
    2, 3,
  ])
  expect(tree()).toEqual({ users: 'api', query: 'users', api: 'request', request: undefined })
  const ofBreaker = spans().filter(({ name }) => name === 'users')
  expect(ofBreaker.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(
    Array(3).fill(ofRun?.spanContext().spanId),
  )
})

test('hedges, fallbacks, time limits and runs that are given up', async () => {
  const hedged = pipeline({ name: 'hedged' }, traced(tracer), hedge({ delay: 0 }))
  let attempt = 0
  expect(
    await hedged.run(() => (++attempt === 1 ? new Promise<string>(() => {}) : Promise.resolve('fast'))),
  ).toBe('fast')
  const instead = pipeline(
    { name: 'instead' },
    traced(tracer),
    fallback(() => 'x'),
  )
  expect(await instead.run(down)).toBe('x')
  const clock = steppedClock()
  const limited = pipeline({ name: 'limited' }, traced(tracer), timeout(100, { clock }))
  const slow = limited.run(() => new Promise(() => {})).catch(({ code }) => code)
  clock.advance(100)
  expect(await slow).toBe('TIMEOUT')
  const controller = new AbortController()
  const given = pipeline({ name: 'given up' }, traced(tracer))
    .run(() => new Promise(() => {}), { signal: controller.signal })
    .catch(() => {})
  controller.abort()
  await given
  expect(
    spans().map((span) => [
      span.name,
      span.status.code,
      span.attributes['error.type'],
      span.events.map(({ name }) => name),
    ]),
  ).toEqual([
    ['hedged', SpanStatusCode.UNSET, undefined, ['hedge']],
    ['instead', SpanStatusCode.UNSET, undefined, ['exception', 'fallback']],
    ['limited', SpanStatusCode.ERROR, 'TIMEOUT', ['exception']],
    ['given up', SpanStatusCode.UNSET, undefined, []],
  ])
})
