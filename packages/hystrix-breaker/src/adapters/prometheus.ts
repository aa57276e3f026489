import type { Breaker } from '../breaker.ts'
import { checkFlag, checkNames } from '../option-checks.ts'
import type { Registry } from '../registry.ts'
import { breakerMetrics, durationMetric, labelsOf, type Sample } from './breaker-samples.ts'
import { BreakerWatch, type CallOutcome, type WatchedBreaker } from './breaker-watch.ts'
import { OpossumSummary, opossumEvents } from './opossum-samples.ts'

/** What {@link PrometheusMetrics.text} writes, for the header Content-Type. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

export interface PrometheusOptions {
  /** Whether `circuit` and `circuit_perf` of opossum-prometheus are there beside `hystrix_breaker_*`. Default true. */
  readonly opossum?: boolean
}

/** The part of a `Registry` of prom-client that is used; this package does not load prom-client. */
export interface MetricRegistry {
  registerMetric(metric: never): void
  removeSingleMetric(name: string): void
}

/** A metric by its Prometheus name. */
interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  read(watched: WatchedBreaker): readonly (Sample & { readonly suffix?: string })[]
}

/**
 * The metrics of the breakers of a registry for Prometheus, those that come later too. Durations and transitions count
 * from when it is made, events from when their breaker was. It listens to every call, until it is disposed of.
 *
 * - `hystrix_breaker_state`, `…_transitions_total`, `…_events_total`, `…_running`, `…_queued`, `…_window_calls`,
 *   `…_window_failures`, `…_window_slow` with the labels `breaker` and `group`, and the histogram
 *   `hystrix_breaker_call_duration_seconds` with `outcome`: success, failure, timeout or ignored.
 * - As opossum-prometheus has them: the counter `circuit` and the summary `circuit_perf` in milliseconds, with `name` and
 *   `event`.
 *
 * ```ts
 * const metrics = new PrometheusMetrics(registry)
 * metrics.register(client.register) // or answer /metrics with metrics.text()
 * ```
 */
export class PrometheusMetrics implements Disposable {
  readonly #watch: BreakerWatch
  readonly #durations = new WeakMap<Breaker, BreakerDurations>()
  readonly #families: readonly Family[]
  readonly #registries = new Set<MetricRegistry>()

  /** @throws InvalidOptionError */
  constructor(registry: Registry, options: PrometheusOptions = {}) {
    checkNames('options', options, ['opossum'])
    this.#families = checkFlag('opossum', options.opossum ?? true)
      ? [...this.#ownFamilies(), ...this.#opossumFamilies()]
      : this.#ownFamilies()
    this.#watch = new BreakerWatch(registry, (breaker, outcome, duration) =>
      this.#durationsOf(breaker).record(breaker, outcome, duration),
    )
  }

  /** All of them in Prometheus' text format 0.0.4, for those who answer `/metrics` themselves. */
  text(): string {
    const breakers = this.#watch.breakers()
    const lines = this.#families.flatMap((family) => {
      const samples = breakers.flatMap((watched) => family.read(watched))
      if (samples.length === 0) return []
      return [
        `# HELP ${family.name} ${family.help}`,
        `# TYPE ${family.name} ${family.type}`,
        ...samples.map((sample) => lineOf(family.name, sample)),
      ]
    })
    return [...lines, ''].join('\n')
  }

  /**
   * Adds them to a registry of prom-client, which then reads them on each scrape, beside your own. The function that is
   * returned takes them out again.
   */
  register(registry: MetricRegistry): () => void {
    for (const family of this.#families) registry.registerMetric(this.#promClientMetric(family) as never)
    this.#registries.add(registry)
    return () => this.#takeOut(registry)
  }

  /** Listens no more, and leaves the registries of prom-client. */
  [Symbol.dispose](): void {
    for (const registry of this.#registries) this.#takeOut(registry)
    this.#watch[Symbol.dispose]()
  }

  #takeOut(registry: MetricRegistry): void {
    if (!this.#registries.delete(registry)) return
    for (const { name } of this.#families) registry.removeSingleMetric(name)
  }

  /** As a metric of prom-client looks to its Registry. */
  #promClientMetric(family: Family): object {
    const { name, help, type } = family
    const head = { name, help, type, aggregator: 'sum' }
    return {
      ...head,
      get: async () => {
        const samples = this.#watch.breakers().flatMap((watched) => family.read(watched))
        const values = samples.map(({ labels, value, suffix = '' }) => ({
          labels,
          value,
          metricName: name + suffix,
        }))
        return { ...head, values }
      },
      // The breakers' own counters go on.
      reset: () => {},
    }
  }

  #ownFamilies(): Family[] {
    const values = breakerMetrics.map(
      ({ name, help, type, read }): Family => ({
        name: name.replaceAll('.', '_') + (type === 'counter' ? '_total' : ''),
        help,
        type,
        read: (watched) =>
          read(watched).map(({ labels, value }) => ({ labels: { ...labelsOf(watched), ...labels }, value })),
      }),
    )
    const durations: Family = {
      name: `${durationMetric.name.replaceAll('.', '_')}_seconds`,
      help: durationMetric.help,
      type: 'histogram',
      read: (watched) => this.#durationsOf(watched.breaker).histogram(labelsOf(watched)),
    }
    return [...values, durations]
  }

  #opossumFamilies(): Family[] {
    return [
      {
        name: 'circuit',
        help: "Events of circuits, by opossum's names",
        type: 'counter',
        read: opossumEvents,
      },
      {
        name: 'circuit_perf',
        help: 'Milliseconds that calls took, as opossum measures them',
        type: 'summary',
        read: ({ breaker }) => this.#durationsOf(breaker).opossum.samples(breaker),
      },
    ]
  }

  #durationsOf(breaker: Breaker): BreakerDurations {
    const known = this.#durations.get(breaker)
    if (known !== undefined) return known
    const made = new BreakerDurations()
    this.#durations.set(breaker, made)
    return made
  }
}

const { bounds } = durationMetric

/** How long the calls of a breaker took. */
class BreakerDurations {
  readonly opossum = new OpossumSummary()
  readonly #outcomes = new Map<CallOutcome, { counts: number[]; sum: number; count: number }>()

  record(breaker: Breaker, outcome: CallOutcome, duration: number): void {
    this.opossum.record(breaker.settings.clock.monotonic(), outcome, duration)
    const known = this.#outcomes.get(outcome)
    const own = known ?? { counts: bounds.map(() => 0), sum: 0, count: 0 }
    if (known === undefined) this.#outcomes.set(outcome, own)
    const seconds = duration / 1000
    const at = bounds.findIndex((bound) => seconds <= bound)
    if (at >= 0) own.counts[at] = (own.counts[at] ?? 0) + 1
    own.sum += seconds
    own.count++
  }

  histogram(breakerLabels: Readonly<Record<string, string>>): (Sample & { suffix: string })[] {
    return [...this.#outcomes].flatMap(([outcome, { counts, sum, count }]) => {
      const labels = { ...breakerLabels, outcome }
      let below = 0
      const buckets = bounds.map((bound, at) => {
        below += counts[at] ?? 0
        return { suffix: '_bucket', labels: { le: String(bound), ...labels }, value: below }
      })
      return [
        ...buckets,
        { suffix: '_bucket', labels: { le: '+Inf', ...labels }, value: count },
        { suffix: '_sum', labels, value: sum },
        { suffix: '_count', labels, value: count },
      ]
    })
  }
}

function lineOf(name: string, { labels, value, suffix = '' }: Sample & { readonly suffix?: string }): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
  return `${name}${suffix}{${pairs.join(',')}} ${value}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}
