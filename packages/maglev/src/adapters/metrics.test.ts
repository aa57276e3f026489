import { createRequire } from 'node:module'
import * as sdk3 from '@opentelemetry/sdk-metrics'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { Maglev } from '../maglev.ts'
import { createPool, type Pool } from '../pool/pool.ts'
import { observePools } from './otel.ts'
import { prometheusContentType, prometheusText, registerPrometheus } from './prometheus.ts'

const require = createRequire(import.meta.url)
// Its types are those of the other one.
const sdk2: typeof sdk3 = require('opentelemetry-sdk-metrics2')
const sdks = [
  { major: 3, sdk: sdk3 },
  { major: 2, sdk: sdk2 },
]

async function somePool(): Promise<Pool> {
  const pool = createPool(new Maglev(['a:1', { id: 'b "\\\n:1', weight: 3 }], { tableSize: 1021 }), {
    outlier: true,
  })
  pool.acquire(1n)
  pool.acquire(1n)[Symbol.dispose]()
  pool.disable('a:1')
  await pool.settled()
  return pool
}

test('the text has every metric with its value, and names that Prometheus can read', async () => {
  await using pool = await somePool()
  const lines = prometheusText({ users: pool }).split('\n')
  expect(lines).toContain('# TYPE maglev_acquired_total counter')
  expect(lines).toContain('maglev_acquired_total{pool="users"} 2')
  expect(lines).toContain('maglev_leases{pool="users"} 1')
  expect(lines).toContain('maglev_backend_state{pool="users",backend="a:1",state="disabled"} 1')
  expect(lines).toContain('maglev_backend_state{pool="users",backend="a:1",state="healthy"} 0')
  expect(lines).toContain('maglev_backend_slots{pool="users",backend="b \\"\\\\\\n:1"} 1021')
  expect(lines).toContain('maglev_backend_slots{pool="users",backend="a:1"} 0')
  expect(lines).toContain('maglev_backend_weight{pool="users",backend="b \\"\\\\\\n:1"} 3')
  expect(lines).toContain('maglev_priority_panic{pool="users",priority="0"} 0')
  expect(lines.at(-1)).toBe('')
})

test('prom-client writes the same from its registry', async () => {
  await using pool = await somePool()
  const registry = new Registry()
  const remove = registerPrometheus(registry, { users: pool })
  const samples = (text: string): string[] =>
    text.split('\n').filter((line) => /^(?:maglev|# (?:HELP|TYPE))/.test(line))
  const theirs = samples(await registry.metrics())
  const ours = samples(prometheusText({ users: pool }))
  // prom-client also heads metrics without a sample.
  expect(theirs.filter((line) => ours.includes(line) || !line.startsWith('#'))).toEqual(ours)
  expect(ours.length).toBeGreaterThan(40)
  expect(registry.contentType).toBe(prometheusContentType)
  remove()
  expect((await registry.metrics()).trim()).toBe('')
})

test.each(sdks)('OpenTelemetry collects the same figures, by its SDK $major', async ({ sdk }) => {
  await using pool = await somePool()
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE)
  const reader = new sdk.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new sdk.MeterProvider({ readers: [reader] })
  const stop = observePools(provider.getMeter('test'), { users: pool })
  const collect = async (): Promise<Map<string, unknown>> => {
    exporter.reset()
    await reader.forceFlush()
    const metrics = exporter.getMetrics()[0]?.scopeMetrics[0]?.metrics ?? []
    return new Map(
      metrics.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        dataPoints.map(({ attributes, value }) => [attributes, value]),
      ]),
    )
  }
  const found = await collect()
  expect(found.get('maglev.acquired')).toEqual([[{ pool: 'users' }, 2]])
  expect(found.get('maglev.backend.slots')).toEqual([
    [{ pool: 'users', backend: 'a:1' }, 0],
    [{ pool: 'users', backend: 'b "\\\n:1' }, 1021],
  ])
  stop()
  // The kit repeats what it saw last.
  pool.acquire(1n)[Symbol.dispose]()
  expect((await collect()).get('maglev.acquired')).toEqual([[{ pool: 'users' }, 2]])
  await provider.shutdown()
})

test('a pool in place of pools by name is named as the culprit', async () => {
  await using pool = await somePool()
  const meter = new sdk3.MeterProvider().getMeter('test')
  for (const call of [
    () => Reflect.apply(prometheusText, undefined, [pool]),
    () => Reflect.apply(registerPrometheus, undefined, [new Registry(), pool]),
    () => Reflect.apply(observePools, undefined, [meter, pool]),
  ]) {
    expect(call).toThrowError(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringContaining('{ users: pool }'),
      }),
    )
  }
  expect(() => Reflect.apply(prometheusText, undefined, [{ users: {} }])).toThrow(/"users" must be a Pool/)
})
