import { wantMethods, wantPools } from '../given.ts'
import type { Pool } from '../pool/pool.ts'
import { type PoolMetric, poolMetrics, type Sample, snapshotOf } from './pool-metrics.ts'

/** Pools by the name that their label `pool` gives them. */
export type NamedPools = Readonly<Record<string, Pool>>

/** What `prometheusText` writes, for the header Content-Type. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * All metrics of the pools in Prometheus' text format 0.0.4, for those who answer `/metrics` themselves.
 *
 * @throws MaglevError `INVALID_OPTION` for anything but pools by name
 */
export function prometheusText(pools: NamedPools): string {
  const snapshots = snapshotsOf(pools)
  return poolMetrics
    .flatMap((metric) => {
      const name = nameOf(metric)
      const samples = samplesOf(metric, snapshots)
      if (samples.length === 0) return []
      return [
        `# HELP ${name} ${metric.help}`,
        `# TYPE ${name} ${metric.type}`,
        ...samples.map((each) => line(name, each)),
      ]
    })
    .concat('')
    .join('\n')
}

/** The part of a `Registry` of prom-client that is used; this package does not load prom-client. */
export interface MetricRegistry {
  registerMetric(metric: never): void
  removeSingleMetric(name: string): void
}

/**
 * Adds the metrics of the pools to a registry of prom-client, which then reads them on each scrape, beside your own.
 * The function that is returned takes them out again.
 *
 * @throws MaglevError `INVALID_OPTION`; what the registry throws, for names that it has already
 */
export function registerPrometheus(registry: MetricRegistry, pools: NamedPools): () => void {
  wantMethods('registry', registry, 'a Registry of prom-client', ['registerMetric', 'removeSingleMetric'])
  wantPools(pools)
  for (const metric of poolMetrics) registry.registerMetric(promClientMetric(metric, pools) as never)
  return () => {
    for (const metric of poolMetrics) registry.removeSingleMetric(nameOf(metric))
  }
}

/** As a Counter or a Gauge of prom-client looks to its Registry. */
function promClientMetric(metric: PoolMetric, pools: NamedPools): object {
  const head = { name: nameOf(metric), help: metric.help, type: metric.type, aggregator: 'sum' }
  return {
    ...head,
    get: async () => ({ ...head, values: samplesOf(metric, snapshotsOf(pools)) }),
    // The pool's own counters go on.
    reset: () => {},
  }
}

type Snapshots = readonly (readonly [pool: string, snapshot: ReturnType<typeof snapshotOf>])[]

function snapshotsOf(pools: NamedPools): Snapshots {
  wantPools(pools)
  return Object.entries(pools).map(([name, pool]) => [name, snapshotOf(pool)])
}

function samplesOf(metric: PoolMetric, snapshots: Snapshots): Sample[] {
  return snapshots.flatMap(([pool, snapshot]) =>
    metric.read(snapshot).map(({ labels, value }) => ({ labels: { pool, ...labels }, value })),
  )
}

function nameOf({ name, type }: PoolMetric): string {
  return name.replaceAll('.', '_') + (type === 'counter' ? '_total' : '')
}

function line(name: string, { labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}{${pairs.join(',')}} ${value}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}
