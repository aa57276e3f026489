import type { Breaker } from '../breaker.ts'
import { InvalidOptionError, shown } from '../errors.ts'
import type { EventCounts } from '../metrics/event-counter.ts'
import type { LatencySummary } from '../metrics/latency-histogram.ts'
import type { ObservedCollapser, Registry } from '../registry.ts'
import type { CircuitSettings } from '../settings.ts'
import { collapserType, commandType, poolType, type StreamData } from './stream-data.ts'

const latencyPercentiles = [0, 25, 50, 75, 90, 95, 99, 99.5, 100]
const batchPercentiles = latencyPercentiles.slice(1)
/** What Hystrix says of no limit. */
const unlimited = 2 ** 31 - 1

/**
 * What `hystrix.stream` says of all breakers and collapsers at wall-clock time `now`: each field that Hystrix's
 * SerialHystrixDashboardData writes, in its order, none of them null. A bulkhead with a queue is shown as a thread pool
 * of the breaker's name, one without as a semaphore.
 */
export function registryData(registry: Registry, now: number): StreamData[] {
  const breakers = [...registry]
  return [
    ...breakers.map((each) => commandData(each, now)),
    ...breakers.filter(hasPool).map((each) => poolData(each, now)),
    ...registry.collapsers.map((each) => collapserData(each, now)),
  ]
}

/** @throws InvalidOptionError where it is no registry. */
export function checkRegistry(registry: Registry): void {
  // By its shape: one of another copy of this package is one.
  if (
    registry === null ||
    typeof registry !== 'object' ||
    !('getOrCreate' in registry && 'collapsers' in registry)
  )
    throw new InvalidOptionError(`registry must be a Registry, not ${shown(registry)}`)
}

function commandData(breaker: Breaker, now: number): StreamData {
  const { name, group, state, metrics, settings } = breaker
  const { circuit, timeout = 0, bulkhead } = settings
  const counts = metrics.rolling()
  const { requests, errors } = health(counts)
  const latency = metrics.latency()
  const latencyTotal = metrics.latencyTotal()
  return {
    type: commandType,
    name,
    group,
    currentTime: Math.trunc(now),
    isCircuitBreakerOpen: state === 'open' || state === 'half-open' || state === 'forced-open',
    errorPercentage: requests === 0 ? 0 : Math.trunc((errors * 100) / requests),
    errorCount: errors,
    requestCount: requests,
    rollingCountBadRequests: counts.BAD_REQUEST,
    rollingCountCollapsedRequests: counts.COLLAPSED,
    rollingCountEmit: counts.EMIT,
    rollingCountExceptionsThrown: counts.EXCEPTION_THROWN,
    rollingCountFailure: counts.FAILURE,
    rollingCountFallbackEmit: counts.FALLBACK_EMIT,
    rollingCountFallbackFailure: counts.FALLBACK_FAILURE,
    rollingCountFallbackMissing: counts.FALLBACK_MISSING,
    rollingCountFallbackRejection: counts.FALLBACK_REJECTION,
    rollingCountFallbackSuccess: counts.FALLBACK_SUCCESS,
    rollingCountResponsesFromCache: counts.RESPONSE_FROM_CACHE,
    rollingCountSemaphoreRejected: counts.SEMAPHORE_REJECTED,
    rollingCountShortCircuited: counts.SHORT_CIRCUITED,
    rollingCountSuccess: counts.SUCCESS,
    rollingCountThreadPoolRejected: counts.THREAD_POOL_REJECTED,
    rollingCountTimeout: counts.TIMEOUT,
    currentConcurrentExecutionCount: metrics.running,
    rollingMaxConcurrentExecutionCount: metrics.rollingMaxRunning(),
    latencyExecute_mean: Math.round(latency.mean),
    latencyExecute: percentiles(latency, latencyPercentiles),
    latencyTotal_mean: Math.round(latencyTotal.mean),
    latencyTotal: percentiles(latencyTotal, latencyPercentiles),
    propertyValue_circuitBreakerRequestVolumeThreshold: circuit.volumeThreshold,
    propertyValue_circuitBreakerSleepWindowInMilliseconds: sleepWindow(circuit),
    propertyValue_circuitBreakerErrorThresholdPercentage: Math.round(circuit.errorThreshold * 100),
    propertyValue_circuitBreakerForceOpen: state === 'forced-open',
    propertyValue_circuitBreakerForceClosed: state === 'forced-closed' || state === 'metrics-only',
    propertyValue_circuitBreakerEnabled: state !== 'disabled',
    propertyValue_executionIsolationStrategy: hasPool(breaker) ? 'THREAD' : 'SEMAPHORE',
    propertyValue_executionIsolationThreadTimeoutInMilliseconds: Math.round(timeout),
    propertyValue_executionTimeoutInMilliseconds: Math.round(timeout),
    propertyValue_executionIsolationThreadInterruptOnTimeout: true,
    propertyValue_executionIsolationThreadPoolKeyOverride: '',
    propertyValue_executionIsolationSemaphoreMaxConcurrentRequests: bulkhead?.max ?? unlimited,
    propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests: Math.min(settings.fallbackMax, unlimited),
    propertyValue_metricsRollingStatisticalWindowInMilliseconds: settings.metrics.events.size,
    propertyValue_requestCacheEnabled: settings.requestCache,
    propertyValue_requestLogEnabled: false,
    reportingHosts: 1,
    threadPool: name,
  }
}

function poolData({ name, metrics, settings }: Breaker, now: number): StreamData {
  const { max = 0, queue = 0 } = settings.bulkhead ?? {}
  const rolling = metrics.rolling()
  const completed = executed(metrics.total())
  return {
    type: poolType,
    name,
    currentTime: Math.trunc(now),
    currentActiveCount: metrics.running,
    currentCompletedTaskCount: completed,
    currentCorePoolSize: max,
    currentLargestPoolSize: max,
    currentMaximumPoolSize: max,
    currentPoolSize: max,
    currentQueueSize: metrics.queued,
    currentTaskCount: completed + metrics.running + metrics.queued,
    rollingCountThreadsExecuted: executed(rolling),
    rollingMaxActiveThreads: metrics.rollingMaxRunning(),
    rollingCountCommandRejections: rolling.THREAD_POOL_REJECTED,
    propertyValue_queueSizeRejectionThreshold: queue,
    propertyValue_metricsRollingStatisticalWindowInMilliseconds: settings.metrics.events.size,
    reportingHosts: 1,
  }
}

function collapserData(collapser: ObservedCollapser, now: number): StreamData {
  const { requests, batches, fromCache } = collapser.rolling()
  const sizes = collapser.batchSize()
  const { max, window, cache } = collapser.settings
  return {
    type: collapserType,
    name: collapser.name,
    currentTime: Math.trunc(now),
    rollingCountRequestsBatched: requests,
    rollingCountBatches: batches,
    rollingCountResponsesFromCache: fromCache,
    batchSize_mean: Math.round(sizes.mean),
    batchSize: percentiles(sizes, batchPercentiles),
    propertyValue_requestCacheEnabled: cache,
    propertyValue_maxRequestsInBatch: Math.min(max, unlimited),
    propertyValue_timerDelayInMilliseconds: Math.round(window),
    reportingHosts: 1,
  }
}

function hasPool({ settings }: Breaker): boolean {
  return (settings.bulkhead?.queue ?? 0) > 0
}

/** Hystrix's HealthCounts: neither short circuits nor bad requests are requests. */
function health(counts: EventCounts): { requests: number; errors: number } {
  const errors = counts.FAILURE + counts.TIMEOUT + counts.THREAD_POOL_REJECTED + counts.SEMAPHORE_REJECTED
  return { requests: counts.SUCCESS + errors, errors }
}

function executed(counts: EventCounts): number {
  return counts.SUCCESS + counts.FAILURE + counts.TIMEOUT + counts.BAD_REQUEST
}

function percentiles(
  values: Pick<LatencySummary, 'percentile'>,
  percents: readonly number[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(percents.map((percent) => [percent, Math.round(values.percentile(percent))]))
}

// Asked once: one with jitter draws each time.
const sleepWindows = new WeakMap<CircuitSettings, number>()

function sleepWindow(circuit: CircuitSettings): number {
  const known = sleepWindows.get(circuit)
  if (known !== undefined) return known
  const asked = Math.round(circuit.openFor(1))
  sleepWindows.set(circuit, asked)
  return asked
}
