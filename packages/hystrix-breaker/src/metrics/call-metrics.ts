import type { BreakerSettings } from '../breaker-options.ts'
import type { BreakerMetrics } from './breaker-metrics.ts'
import { EndedCalls } from './ended-calls.ts'
import { EventCounter, type EventCounts } from './event-counter.ts'
import { LatencyHistogram, type LatencySummary } from './latency-histogram.ts'

const noLatencies: LatencySummary = { count: 0, mean: 0, percentile: () => 0 }

/** The books of a breaker: it writes, others read. */
export class CallMetrics implements BreakerMetrics {
  running = 0
  queued = 0
  readonly #settings: BreakerSettings
  // Made with the first event.
  #ended: EndedCalls | undefined
  #counter: EventCounter | undefined
  #latency: LatencyHistogram | undefined
  // The same as long as nobody has waited for more than the work.
  #latencyTotal: LatencyHistogram | undefined

  constructor(settings: BreakerSettings) {
    this.#settings = settings
  }

  rolling(): EventCounts {
    return this.#counted().rolling(this.#now())
  }

  total(): EventCounts {
    return this.#counted().total()
  }

  latency(): LatencySummary {
    this.#counted()
    return this.#latency?.summary(this.#now()) ?? noLatencies
  }

  latencyTotal(): LatencySummary {
    this.#counted()
    return this.#latencyTotal?.summary(this.#now()) ?? noLatencies
  }

  rollingMaxRunning(): number {
    return Math.max(this.running, this.#counted().rollingMaxRunning(this.#now()))
  }

  /** Work that began at `startedAt` is over, with the event of this place. */
  end(now: number, startedAt: number, place: number): void {
    const ended = (this.#ended ??= new EndedCalls())
    if (ended.isFull) this.#counted()
    ended.add(now, startedAt, place, this.running--)
  }

  /** Before the end of a call whose caller waits for more than its work: for its place, or for a fallback. */
  separateTotal(now: number): void {
    this.#counted()
    if (this.#latencyTotal === this.#latency) this.#latencyTotal = this.#latency?.copy(now)
  }

  /** The caller of work that was let through, who came at `arrivedAt`, has its answer. */
  answered(now: number, call: { readonly arrivedAt: number }): void {
    if (this.#latencyTotal !== this.#latency) this.#latencyTotal?.record(now, now - call.arrivedAt)
  }

  /** An event, by its place in `callEvents`. */
  count(now: number, place: number): void {
    this.#counted().add(now, place)
  }

  // The counter, with all that has ended.
  #counted(): EventCounter {
    if (this.#counter === undefined) {
      const { events, latencies } = this.#settings.metrics
      this.#counter = new EventCounter(events.size, events.buckets)
      this.#latency = latencies && new LatencyHistogram(latencies.size, latencies.buckets)
      this.#latencyTotal = this.#latency
    }
    this.#ended?.countInto(this.#counter, this.#latency)
    return this.#counter
  }

  #now(): number {
    return this.#settings.clock.monotonic()
  }
}
