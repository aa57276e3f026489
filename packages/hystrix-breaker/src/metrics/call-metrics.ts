import type { BreakerSettings } from '../breaker-options.ts'
import type { BreakerMetrics } from './breaker-metrics.ts'
import { EventCounter, type EventCounts } from './event-counter.ts'
import { LatencyHistogram, type LatencySummary } from './latency-histogram.ts'

const noLatencies: LatencySummary = { count: 0, mean: 0, percentile: () => 0 }

/** The books of a breaker: it writes, others read. */
export class CallMetrics implements BreakerMetrics {
  running = 0
  queued = 0
  readonly #settings: BreakerSettings
  // Made with the first event.
  #counter: EventCounter | undefined
  #latency: LatencyHistogram | undefined
  // The same as long as nobody has waited for more than the work.
  #latencyTotal: LatencyHistogram | undefined

  constructor(settings: BreakerSettings) {
    this.#settings = settings
  }

  rolling(): EventCounts {
    return this.#counting().rolling(this.#now())
  }

  total(): EventCounts {
    return this.#counting().total()
  }

  latency(): LatencySummary {
    return this.#latency?.summary(this.#now()) ?? noLatencies
  }

  latencyTotal(): LatencySummary {
    return this.#latencyTotal?.summary(this.#now()) ?? noLatencies
  }

  rollingMaxRunning(): number {
    return Math.max(this.running, this.#counting().rollingMaxRunning(this.#now()))
  }

  /** Work that began `duration` milliseconds ago is over, with the event of this place. */
  end(now: number, startedAt: number, place: number): void {
    const counter = this.#counter ?? this.#counting()
    counter.end(now, place, this.running--)
    this.#latency?.record(now, now - startedAt)
  }

  /** Before the end of a call whose caller waits for more than its work: for its place, or for a fallback. */
  separateTotal(now: number): void {
    this.#counting()
    if (this.#latencyTotal === this.#latency) this.#latencyTotal = this.#latency?.copy(now)
  }

  /** The caller of work that was let through, who came at `arrivedAt`, has its answer. */
  answered(now: number, call: { readonly arrivedAt: number }): void {
    if (this.#latencyTotal !== this.#latency) this.#latencyTotal?.record(now, now - call.arrivedAt)
  }

  /** An event, by its place in `callEvents`. */
  count(now: number, place: number): void {
    this.#counting().add(now, place)
  }

  #counting(): EventCounter {
    if (this.#counter === undefined) {
      const { events, latencies } = this.#settings.metrics
      this.#counter = new EventCounter(events.size, events.buckets)
      this.#latency = latencies && new LatencyHistogram(latencies.size, latencies.buckets)
      this.#latencyTotal = this.#latency
    }
    return this.#counter
  }

  #now(): number {
    return this.#settings.clock.monotonic()
  }
}
