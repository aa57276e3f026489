import type { Meter } from '@opentelemetry/api'
import { durationMetric, failedOpenMetric, leasesLostMetric, measure } from './channel-events.ts'

/**
 * Reports what becomes of the requests of this process, of all instances and adapters in it, through a meter of
 * OpenTelemetry: the histogram `stripe_idempotency.request.duration` in seconds with the attribute `outcome` (executed,
 * released, replayed, conflict, mismatch, uncertain or failed) and the counters `stripe_idempotency.leases_lost` and
 * `stripe_idempotency.failed_open`. No attribute tells a key or a scope. The function that is returned ends it.
 *
 * ```ts
 * const stop = observeIdempotency(metrics.getMeter('my-service'))
 * ```
 */
export function observeIdempotency(meter: Meter): () => void {
  const durations = meter.createHistogram(durationMetric.name, {
    description: durationMetric.help,
    unit: 's',
    advice: { explicitBucketBoundaries: [...durationMetric.bounds] },
  })
  const leasesLost = meter.createCounter(leasesLostMetric.name, { description: leasesLostMetric.help })
  const failedOpen = meter.createCounter(failedOpenMetric.name, { description: failedOpenMetric.help })
  return measure({
    outcome: (outcome, seconds) => durations.record(seconds, { outcome }),
    leaseLost: () => leasesLost.add(1),
    failedOpen: () => failedOpen.add(1),
  })
}
