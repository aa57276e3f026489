import { createRequire } from 'node:module'
import * as sdk3 from '@opentelemetry/sdk-metrics'

import { Registry as ClientRegistry, Counter } from 'prom-client'
import { expect, test } from 'vitest'
import { Opossum } from '../../test/compat/opossum-peer.ts'
import { steppedClock } from '../../test/stream/stepped-clock.ts'
import { Breaker, Registry } from '../index.ts'
import { observeBreakers } from './otel.ts'
import { PrometheusMetrics, prometheusContentType } from './prometheus.ts'

const require = createRequire(import.meta.url)
// Its types are those of the other one.
const sdk2: typeof sdk3 = require('opentelemetry-sdk-metrics2')
const sdks = [
  { major: 3, sdk: sdk3 },
  { major: 2, sdk: sdk2 },
]

const clock = (): ReturnType<typeof steppedClock> => steppedClock()

/** Five successes of 20 ms, two failures that open it, a call that is refused, and its fallback. */
async function used(breaker: Breaker, time: ReturnType<typeof steppedClock>): Promise<void> {
  for (let n = 0; n < 5; n++) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const call = breaker.execute(() => promise)
    time.advance(20)
    resolve()
    await call
  }
  const fail = (): never => {
    throw new Error('down')
  }
  for (let n = 0; n < 5; n++) await breaker.execute(fail).catch(() => {})
  await breaker.execute(fail).catch(() => {})
  await breaker.execute(fail, { fallback: () => 'instead' })
}

const hostile = 'b "\\\n</script>'

function someRegistry(): { registry: Registry; users: Breaker; time: ReturnType<typeof steppedClock> } {
  const time = clock()
  const registry = new Registry()
  const users = new Breaker({ name: 'users', group: 'accounts', volumeThreshold: 10, clock: time })
  registry.add(users)
  registry.add(new Breaker({ name: hostile, clock: time }))
  return { registry, users, time }
}

test('the text has every metric with its value, and names that Prometheus can read', async () => {
  const { registry, users, time } = someRegistry()
  using metrics = new PrometheusMetrics(registry)
  await used(users, time)
  const lines = metrics.text().split('\n')
  const labels = 'breaker="users",group="accounts"'
  for (const line of [
    '# TYPE hystrix_breaker_events_total counter',
    `hystrix_breaker_events_total{${labels},event="SUCCESS"} 5`,
    `hystrix_breaker_events_total{${labels},event="FAILURE"} 5`,
    `hystrix_breaker_events_total{${labels},event="SHORT_CIRCUITED"} 2`,
    `hystrix_breaker_events_total{${labels},event="FALLBACK_SUCCESS"} 1`,
    `hystrix_breaker_state{${labels},state="open"} 1`,
    `hystrix_breaker_state{${labels},state="closed"} 0`,
    `hystrix_breaker_transitions_total{${labels},state="open"} 1`,
    `hystrix_breaker_running{${labels}} 0`,
    `hystrix_breaker_window_calls{${labels}} 0`,
    '# TYPE hystrix_breaker_call_duration_seconds histogram',
    `hystrix_breaker_call_duration_seconds_bucket{le="0.01",${labels},outcome="success"} 0`,
    `hystrix_breaker_call_duration_seconds_bucket{le="0.025",${labels},outcome="success"} 5`,
    `hystrix_breaker_call_duration_seconds_bucket{le="+Inf",${labels},outcome="success"} 5`,
    `hystrix_breaker_call_duration_seconds_count{${labels},outcome="failure"} 5`,
    'hystrix_breaker_state{breaker="b \\"\\\\\\n</script>",group="b \\"\\\\\\n</script>",state="closed"} 1',
    'circuit{name="users",event="reject"} 2',
    'circuit_perf_sum{name="users",event="success"} 100',
    'circuit_perf_count{name="users",event="failure"} 5',
  ])
    expect(lines).toContain(line)
  expect(lines.at(-1)).toBe('')
})

test('prom-client writes the same from its registry, beside its own', async () => {
  const { registry, users, time } = someRegistry()
  const metrics = new PrometheusMetrics(registry)
  const client = new ClientRegistry()
  new Counter({ name: 'mine', help: 'mine', registers: [client] }).inc()
  const remove = metrics.register(client)
  await used(users, time)
  const samples = (text: string): string[] =>
    text.split('\n').filter((line) => /^(?:hystrix|circuit|# (?:HELP|TYPE) (?:hystrix|circuit))/.test(line))
  const theirs = samples(await client.metrics())
  const ours = samples(metrics.text())
  expect(theirs).toEqual(ours)
  expect(ours.length).toBeGreaterThan(100)
  expect(client.contentType).toBe(prometheusContentType)
  remove()
  remove()
  expect(samples(await client.metrics())).toEqual([])
  metrics.register(client)
  metrics[Symbol.dispose]()
  expect(samples(await client.metrics())).toEqual([])
  expect(await client.metrics()).toContain('mine 1')
})

test('the names of opossum-prometheus count as opossum does', async () => {
  // What that plugin does with a circuit of opossum: counts all its events by their names.
  const theirs = new Map<string, number>()
  const answers = { fail: false }
  const work = async (): Promise<string> => {
    if (answers.fail) throw new Error('down')
    return 'well'
  }
  const original = new Opossum(work, { volumeThreshold: 99, name: 'users', capacity: 1 })
  for (const event of original.eventNames())
    original.on(event as 'fire', () => void theirs.set(String(event), (theirs.get(String(event)) ?? 0) + 1))
  const registry = new Registry()
  using metrics = new PrometheusMetrics(registry)
  const breaker = new Breaker({ name: 'users', volumeThreshold: 99, bulkhead: { max: 1 } })
  registry.add(breaker)
  const both = async (): Promise<void> => {
    await original.fire().catch(() => {})
    await breaker.execute(work).catch(() => {})
  }
  await both()
  await Promise.all([both(), both()])
  answers.fail = true
  for (let n = 0; n < 3; n++) await both()
  original.open()
  breaker.circuit.trip(breaker.settings.clock.monotonic())
  for (let n = 0; n < 2; n++) await both()
  original.shutdown()
  const ours = new Map(
    [...metrics.text().matchAll(/^circuit\{name="users",event="(\w+)"\} (\d+)$/gm)].map(
      ([, event, count]) => [event, Number(count)],
    ),
  )
  for (const event of ['fire', 'success', 'failure', 'timeout', 'reject', 'semaphoreLocked', 'open'])
    expect([event, ours.get(event)]).toEqual([event, theirs.get(event) ?? 0])
})

test('without the names of opossum', () => {
  const { registry } = someRegistry()
  using metrics = new PrometheusMetrics(registry, { opossum: false })
  expect(metrics.text()).not.toMatch(/^circuit/m)
  expect(() => new PrometheusMetrics(registry, { opossum: 1 as never })).toThrow(
    /opossum must be true or false/,
  )
})

test('breakers come and go; nothing listens to those that went, nor after the end', async () => {
  const registry = new Registry({ max: 2 })
  const metrics = new PrometheusMetrics(registry)
  const names = (): string[] =>
    [...metrics.text().matchAll(/^hystrix_breaker_running\{breaker="(\w+)"/gm)].map(([, name = '']) => name)
  const [a, b, c] = ['a', 'b', 'c'].map((name) => new Breaker({ name }))
  for (const each of [a, b, c]) if (each !== undefined) registry.add(each)
  expect(names()).toEqual(['b', 'c'])
  registry.delete('b')
  expect(names()).toEqual(['c'])
  registry.add(new Breaker({ name: 'c' }))
  expect(names()).toEqual(['c'])
  await registry.get('c')?.execute(() => 1)
  expect(metrics.text()).toContain('circuit{name="c",event="success"} 1')
  metrics[Symbol.dispose]()
  await registry.get('c')?.execute(() => 1)
  expect(metrics.text()).toMatch(/^circuit_perf_count\{name="c",event="success"\} 1$/m)
})

test.each(sdks)('OpenTelemetry collects the same figures, by its SDK $major', async ({ sdk }) => {
  const { registry, users, time } = someRegistry()
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE)
  const reader = new sdk.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new sdk.MeterProvider({ readers: [reader] })
  const stop = observeBreakers(provider.getMeter('test'), registry)
  const collect = async (): Promise<Map<string, { attributes: object; value: unknown }[]>> => {
    exporter.reset()
    await reader.forceFlush()
    const metrics = exporter.getMetrics()[0]?.scopeMetrics[0]?.metrics ?? []
    return new Map(metrics.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints]))
  }
  await used(users, time)
  const found = await collect()
  const of = (name: string, more: object = {}): unknown => {
    const attributes = { breaker: 'users', group: 'accounts', ...more }
    const point = found
      .get(name)
      ?.find((each) => JSON.stringify(each.attributes) === JSON.stringify(attributes))
    return point?.value
  }
  expect(of('hystrix_breaker.events', { event: 'SUCCESS' })).toBe(5)
  expect(of('hystrix_breaker.events', { event: 'SHORT_CIRCUITED' })).toBe(2)
  expect(of('hystrix_breaker.state', { state: 'open' })).toBe(1)
  expect(of('hystrix_breaker.transitions', { state: 'open' })).toBe(1)
  expect(of('hystrix_breaker.running')).toBe(0)
  const durations = of('hystrix_breaker.call.duration', { outcome: 'success' })
  expect(durations).toMatchObject({
    count: 5,
    min: 0.02,
    max: 0.02,
    buckets: { counts: expect.arrayContaining([5]) },
  })
  stop()
  await users.execute(() => 1, { fallback: () => 2 })
  const after = (await collect()).get('hystrix_breaker.events')
  expect(
    after?.find(({ attributes }) => 'event' in attributes && attributes.event === 'SHORT_CIRCUITED')?.value,
  ).toBe(2)
  await provider.shutdown()
})
