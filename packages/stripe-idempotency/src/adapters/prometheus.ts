import type { Outcome } from '../events.ts'
import { durationMetric, failedOpenMetric, leasesLostMetric, measure } from './channel-events.ts'

/** What {@link PrometheusMetrics.text} writes, for the header Content-Type. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

const { bounds } = durationMetric

/**
 * What becomes of the requests of this process, of all instances and adapters in it, for Prometheus, from when it is made
 * until it is disposed of: the histogram `stripe_idempotency_request_duration_seconds` with the label `outcome`
 * (executed, released, replayed, conflict, mismatch, uncertain or failed), whose `_count` is the number of requests, and
 * the counters `stripe_idempotency_leases_lost_total` and `stripe_idempotency_failed_open_total`. No label tells a key or a
 * scope.
 */
export class PrometheusMetrics implements Disposable {
  readonly #durations = new Map<Outcome, Durations>()
  readonly #stop: () => void
  #leasesLost = 0
  #failedOpen = 0

  constructor() {
    this.#stop = measure({
      outcome: (outcome, seconds) => this.#record(outcome, seconds),
      leaseLost: () => this.#leasesLost++,
      failedOpen: () => this.#failedOpen++,
    })
  }

  /** All of them in Prometheus' text format 0.0.4, for those who answer `/metrics` themselves. */
  text(): string {
    const duration = `${durationMetric.name.replaceAll('.', '_')}_seconds`
    return [
      `# HELP ${duration} ${durationMetric.help}`,
      `# TYPE ${duration} histogram`,
      ...[...this.#durations].flatMap(([outcome, durations]) => linesOf(duration, outcome, durations)),
      ...counterOf(leasesLostMetric, this.#leasesLost),
      ...counterOf(failedOpenMetric, this.#failedOpen),
      '',
    ].join('\n')
  }

  /** Listens no more. */
  [Symbol.dispose](): void {
    this.#stop()
  }

  #record(outcome: Outcome, seconds: number): void {
    const found = this.#durations.get(outcome) ?? { upTo: bounds.map(() => 0), count: 0, sum: 0 }
    this.#durations.set(outcome, {
      upTo: found.upTo.map((count, at) => (seconds <= (bounds[at] ?? Infinity) ? count + 1 : count)),
      count: found.count + 1,
      sum: found.sum + seconds,
    })
  }
}

interface Durations {
  /** By bound: how many took no longer. */
  readonly upTo: readonly number[]
  readonly count: number
  readonly sum: number
}

function linesOf(name: string, outcome: Outcome, { upTo, count, sum }: Durations): string[] {
  const label = `outcome="${outcome}"`
  return [
    ...upTo.map((each, at) => `${name}_bucket{${label},le="${bounds[at]}"} ${each}`),
    `${name}_bucket{${label},le="+Inf"} ${count}`,
    `${name}_sum{${label}} ${sum}`,
    `${name}_count{${label}} ${count}`,
  ]
}

function counterOf(
  { name, help }: { readonly name: string; readonly help: string },
  count: number,
): string[] {
  const total = `${name.replaceAll('.', '_')}_total`
  return [`# HELP ${total} ${help}`, `# TYPE ${total} counter`, `${total} ${count}`]
}
