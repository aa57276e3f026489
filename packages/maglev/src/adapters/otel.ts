import type { BatchObservableCallback, Meter } from '@opentelemetry/api'
import { wantMethods, wantPools } from '../given.ts'
import type { Pool } from '../pool/pool.ts'
import { poolMetrics, snapshotOf } from './pool-metrics.ts'

/**
 * Reports the metrics of pools through a meter of OpenTelemetry: observable counters and gauges, read at each collection.
 * The attribute `pool` is the name given here. The function that is returned ends it.
 *
 * ```ts
 * const stop = observePools(metrics.getMeter('my-service'), { users: pool })
 * ```
 *
 * @throws MaglevError `INVALID_OPTION`
 */
export function observePools(meter: Meter, pools: Readonly<Record<string, Pool>>): () => void {
  wantMethods('meter', meter, 'a Meter of OpenTelemetry', [
    'createObservableCounter',
    'createObservableGauge',
    'addBatchObservableCallback',
  ])
  wantPools(pools)
  const instruments = poolMetrics.map((metric) => {
    const options = { description: metric.help }
    const instrument =
      metric.type === 'counter'
        ? meter.createObservableCounter(metric.name, options)
        : meter.createObservableGauge(metric.name, options)
    return { metric, instrument }
  })
  const observe: BatchObservableCallback = (result) => {
    for (const [name, pool] of Object.entries(pools)) {
      const snapshot = snapshotOf(pool)
      for (const { metric, instrument } of instruments) {
        for (const { labels, value } of metric.read(snapshot))
          result.observe(instrument, value, { pool: name, ...labels })
      }
    }
  }
  const observed = instruments.map(({ instrument }) => instrument)
  meter.addBatchObservableCallback(observe, observed)
  return () => {
    meter.removeBatchObservableCallback(observe, observed)
  }
}
