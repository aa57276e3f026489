export { traceBreakers, traced } from './otel-tracing.ts'

import type { BatchObservableCallback, Meter } from '@opentelemetry/api'
import type { Registry } from '../registry.ts'
import { breakerMetrics, durationMetric, labelsOf } from './breaker-samples.ts'
import { BreakerWatch } from './breaker-watch.ts'

/**
 * Reports the breakers of a registry, those that come later too, through a meter of OpenTelemetry: observable counters
 * and gauges `hystrix_breaker.state`, `.transitions`, `.events`, `.running`, `.queued`, `.window.calls`,
 * `.window.failures` and `.window.slow`, read at each collection, and the histogram `hystrix_breaker.call.duration` in
 * seconds with the attribute `outcome`. All have `breaker` and `group`. It listens to every call; the function that is
 * returned ends it.
 *
 * ```ts
 * const stop = observeBreakers(metrics.getMeter('my-service'), registry)
 * ```
 */
export function observeBreakers(meter: Meter, registry: Registry): () => void {
  const durations = meter.createHistogram(durationMetric.name, {
    description: durationMetric.help,
    unit: 's',
    advice: { explicitBucketBoundaries: [...durationMetric.bounds] },
  })
  const watch = new BreakerWatch(registry, ({ name, group }, outcome, duration) =>
    durations.record(duration / 1000, { breaker: name, group, outcome }),
  )
  const instruments = breakerMetrics.map((metric) => {
    const options = { description: metric.help }
    const instrument =
      metric.type === 'counter'
        ? meter.createObservableCounter(metric.name, options)
        : meter.createObservableGauge(metric.name, options)
    return { metric, instrument }
  })
  const observe: BatchObservableCallback = (result) => {
    for (const watched of watch.breakers()) {
      const common = labelsOf(watched)
      for (const { metric, instrument } of instruments) {
        for (const { labels, value } of metric.read(watched))
          result.observe(instrument, value, { ...common, ...labels })
      }
    }
  }
  const observed = instruments.map(({ instrument }) => instrument)
  meter.addBatchObservableCallback(observe, observed)
  return () => {
    meter.removeBatchObservableCallback(observe, observed)
    watch[Symbol.dispose]()
  }
}
