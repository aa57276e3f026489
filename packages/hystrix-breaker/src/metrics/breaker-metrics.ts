import type { EventCounts } from './event-counter.ts'
import type { LatencySummary } from './latency-histogram.ts'

/** What a breaker knows about its calls. Event counts roll over 10 s, latencies over 60 s, by default. */
export interface BreakerMetrics {
  /** Events of the metrics window. */
  rolling(): EventCounts
  /** Events since the breaker was made. */
  total(): EventCounts
  /** Time of the work, of calls that were let through, in milliseconds. */
  latency(): LatencySummary
  /** Time that the callers of the same calls waited: with the queue before and the fallback after. */
  latencyTotal(): LatencySummary
  /** Calls whose work is going on. */
  readonly running: number
  /** Calls that wait for a place. */
  readonly queued: number
  /** The most calls that ran at once in the metrics window. */
  rollingMaxRunning(): number
}
