import { createRequire } from 'node:module'
import * as sdk3 from '@opentelemetry/sdk-metrics'
import { expect, test } from 'vitest'
import { channels } from '../events.ts'
import { createIdempotency } from '../idempotency.ts'
import { memoryStore } from '../store/memory.ts'
import { observeIdempotency } from './otel.ts'
import { PrometheusMetrics } from './prometheus.ts'

const require = createRequire(import.meta.url)
// Its types are those of the other one.
const sdk2: typeof sdk3 = require('opentelemetry-sdk-metrics2')
const sdks = [
  { major: 3, sdk: sdk3 },
  { major: 2, sdk: sdk2 },
]

/** One execution of 300 ms, two replays, a mismatch, a lease that is lost, and a request without its key. */
async function used(): Promise<void> {
  let now = 0
  const clock = { now: () => now, monotonic: () => now, setTimeout: () => 0, clearTimeout: () => {} }
  const own = createIdempotency({ store: memoryStore({ clock }), clock })
  const ask = (input: number): Promise<unknown> =>
    own.run({ scope: 'secret-scope', key: 'secret-key', input }, async () => (now += 300))
  for (let time = 0; time < 3; time++) await ask(1)
  await expect(ask(2)).rejects.toThrow('another input')
  channels['lease-lost'].publish({ keyHash: 'k', recordId: 'r', fence: 1 })
  channels['failed-open'].publish({ method: 'POST', path: '/secret-path' })
}

test('Prometheus reads how often and how long, until it is disposed of', async () => {
  const metrics = new PrometheusMetrics()
  await used()
  channels.outcome.publish({ outcome: 'of another copy"}', duration: 1 })
  channels.outcome.publish(null)
  const lines = metrics.text().split('\n')
  const name = 'stripe_idempotency_request_duration_seconds'
  for (const line of [
    `# TYPE ${name} histogram`,
    `${name}_bucket{outcome="executed",le="0.25"} 0`,
    `${name}_bucket{outcome="executed",le="0.5"} 1`,
    `${name}_bucket{outcome="executed",le="+Inf"} 1`,
    `${name}_sum{outcome="executed"} 0.3`,
    `${name}_bucket{outcome="replayed",le="0.001"} 2`,
    `${name}_count{outcome="replayed"} 2`,
    `${name}_count{outcome="mismatch"} 1`,
    'stripe_idempotency_leases_lost_total 1',
    'stripe_idempotency_failed_open_total 1',
  ])
    expect(lines).toContain(line)
  expect(metrics.text()).not.toMatch(/secret|another copy/)
  metrics[Symbol.dispose]()
  expect(Object.values(channels).map((each) => each.hasSubscribers)).toEqual([false, false, false])
  await used()
  expect(metrics.text().split('\n')).toEqual(lines)
})

test.each(sdks)('OpenTelemetry reads the same, by its SDK $major', async ({ sdk }) => {
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE)
  const reader = new sdk.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 31 - 1 })
  const provider = new sdk.MeterProvider({ readers: [reader] })
  const stop = observeIdempotency(provider.getMeter('test'))
  await used()
  stop()
  await used()
  await provider.forceFlush()
  const metrics = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((each) => each.metrics))
  await provider.shutdown()
  const points = metrics.flatMap(({ descriptor, dataPoints }) =>
    dataPoints.map(({ attributes, value }) => [
      descriptor.name,
      attributes['outcome'],
      typeof value === 'number' ? value : [value.count, 'sum' in value ? value.sum : null],
    ]),
  )
  expect(points).toEqual([
    ['stripe_idempotency.request.duration', 'executed', [1, 0.3]],
    ['stripe_idempotency.request.duration', 'replayed', [2, 0]],
    ['stripe_idempotency.request.duration', 'mismatch', [1, 0]],
    ['stripe_idempotency.leases_lost', undefined, 1],
    ['stripe_idempotency.failed_open', undefined, 1],
  ])
})
