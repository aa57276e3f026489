import type { Breaker } from '../breaker.ts'
import { LatencyHistogram } from '../metrics/latency-histogram.ts'
import type { Sample } from './breaker-samples.ts'
import type { CallOutcome, WatchedBreaker } from './breaker-watch.ts'

/** What opossum-prometheus counts as `circuit`: events by opossum's names. */
export function opossumEvents({ breaker, transitions }: WatchedBreaker): Sample[] {
  const total = breaker.metrics.total()
  const { running, queued } = breaker.metrics
  const refused = total.THREAD_POOL_REJECTED + total.SEMAPHORE_REJECTED
  const ended = total.SUCCESS + total.BAD_REQUEST + total.FAILURE + total.TIMEOUT + total.CANCELLED
  const counts = {
    fire: ended + refused + total.SHORT_CIRCUITED + total.RESPONSE_FROM_CACHE + running + queued,
    // opossum calls an error that its filter lets pass a success, and time-outs and refusals for want of a place failures.
    success: total.SUCCESS + total.BAD_REQUEST,
    failure: total.FAILURE + total.TIMEOUT + refused,
    timeout: total.TIMEOUT,
    reject: total.SHORT_CIRCUITED,
    semaphoreLocked: refused,
    fallback: total.FALLBACK_SUCCESS + total.FALLBACK_FAILURE,
    cacheHit: total.RESPONSE_FROM_CACHE,
    open: transitions.get('open') ?? 0,
    halfOpen: transitions.get('half-open') ?? 0,
    close: transitions.get('closed') ?? 0,
  }
  return Object.entries(counts).map(([event, value]) => ({ labels: { name: breaker.name, event }, value }))
}

const quantiles = [0.01, 0.05, 0.5, 0.9, 0.95, 0.99, 0.999]

/** A summary of durations in milliseconds, as opossum-prometheus' `circuit_perf`; its quantiles are of the last minute. */
export class OpossumSummary {
  readonly #summaries = {
    success: { latencies: new LatencyHistogram(60_000, 6), sum: 0, count: 0 },
    failure: { latencies: new LatencyHistogram(60_000, 6), sum: 0, count: 0 },
  }

  record(now: number, outcome: CallOutcome, duration: number): void {
    const summary = this.#summaries[outcome === 'success' || outcome === 'ignored' ? 'success' : 'failure']
    summary.latencies.record(now, duration)
    summary.sum += duration
    summary.count++
  }

  samples({ name, settings }: Breaker): (Sample & { suffix: string })[] {
    const now = settings.clock.monotonic()
    return Object.entries(this.#summaries).flatMap(([event, { latencies, sum, count }]) => {
      if (count === 0) return []
      const labels = { name, event }
      const recent = latencies.summary(now)
      return [
        ...quantiles.map((quantile) => ({
          suffix: '',
          labels: { quantile: String(quantile), ...labels },
          value: recent.percentile(quantile * 100),
        })),
        { suffix: '_sum', labels, value: sum },
        { suffix: '_count', labels, value: count },
      ]
    })
  }
}
