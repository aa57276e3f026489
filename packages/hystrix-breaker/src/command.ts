import { Breaker, type Execution } from './breaker.ts'
import type { BreakerOptions, BulkheadOptions } from './breaker-options.ts'
import { CachedCalls } from './cached-calls.ts'
import type { ExecuteOptions, Work } from './call.ts'
import { timeWindow } from './circuit-options.ts'
import { HystrixBadRequestException, hystrixError } from './command-errors.ts'
import { InvalidOptionError, shown } from './errors.ts'
import { checkFlag } from './option-checks.ts'
import type { Clock } from './ports.ts'
import { type HystrixOptions, hystrix, slicesOf } from './preset/hystrix.ts'

/** Hystrix's properties of a command and of its pool, without `hystrix.command.<key>.` and `hystrix.threadpool.<key>.` */
export interface CommandOptions extends HystrixOptions {
  /** The command key. Default `command`. */
  readonly name?: string
  /** The group key. Default: the command key. */
  readonly group?: string
  /** Default `THREAD`: a pool of `coreSize` places. `SEMAPHORE`: as many as the semaphore has. */
  readonly 'execution.isolation.strategy'?: 'THREAD' | 'SEMAPHORE'
  /** Default 10. */
  readonly 'execution.isolation.semaphore.maxConcurrentRequests'?: number
  /** Default 10. */
  readonly 'fallback.isolation.semaphore.maxConcurrentRequests'?: number
  /** Default true. */
  readonly 'fallback.enabled'?: boolean
  /** Default true; where false, no latencies are kept. */
  readonly 'metrics.rollingPercentile.enabled'?: boolean
  /** Default 60000. */
  readonly 'metrics.rollingPercentile.timeInMilliseconds'?: number
  /** Default 6. */
  readonly 'metrics.rollingPercentile.numBuckets'?: number
  /** Default true. */
  readonly 'requestCache.enabled'?: boolean
  /** Calls at once with `THREAD` isolation; more are THREAD_POOL_REJECTED. Default 10. */
  readonly coreSize?: number
  /** Calls at once where it may differ from `coreSize` and nothing is queued. Default: `coreSize`. */
  readonly maximumSize?: number
  /** Default false. */
  readonly allowMaximumSizeToDivergeFromCoreSize?: boolean
  /** Calls that wait for their place in the pool; -1, the default, for none. */
  readonly maxQueueSize?: number
  /** Waiting calls from which on more are refused, up to `maxQueueSize`. Default 5. */
  readonly queueSizeRejectionThreshold?: number
  // Accepted, so that one set of properties serves both, and of no effect here.
  readonly 'execution.isolation.thread.interruptOnTimeout'?: boolean
  readonly 'execution.isolation.thread.interruptOnFutureCancel'?: boolean
  readonly 'metrics.rollingPercentile.bucketSize'?: number
  readonly 'metrics.healthSnapshot.intervalInMilliseconds'?: number
  readonly 'requestLog.enabled'?: boolean
  /** Default: real time. */
  readonly clock?: Clock
}

/** How one call of a command is made. */
export interface CommandCall<T> extends Omit<ExecuteOptions<T>, 'fallback'> {
  /** Hystrix's getFallback. Default: none, FALLBACK_MISSING. */
  readonly fallback?: Exclude<ExecuteOptions<T>['fallback'], false>
  /** Hystrix's getCacheKey: calls of one {@link requestScope} with the same key have one answer. */
  readonly cacheKey?: string | undefined
}

/** A Hystrix command: all its calls have one circuit, one bulkhead and one set of metrics. */
export interface Command<T> extends AsyncDisposable {
  readonly breaker: Breaker
  /**
   * Runs `run` once, under the command.
   *
   * @throws HystrixRuntimeException, where there is no fallback to answer instead. HystrixBadRequestException as it is.
   */
  execute(run: Work<T>, call?: CommandCall<T>): Promise<T>
  /** {@link Command.execute}, with what happened, as getExecutionEvents. */
  start(run: Work<T>, call?: CommandCall<T>): Execution<T>
  /** Forgets the answer under `key` in the request scope of its caller. True where there was one. */
  clearCache(key: string): boolean
}

/**
 * The Hystrix face of {@link Breaker}: properties, defaults, events and errors of HystrixCommand 1.5.18. An open circuit
 * refuses before the semaphore is asked; the place of a call is given up before its fallback begins, which in Hystrix
 * holds a semaphore yet.
 *
 * @throws InvalidOptionError naming the property.
 */
export function command<T>(options: CommandOptions = {}): Command<T> {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new InvalidOptionError(`command: the properties must be an object, not ${shown(options)}`)
  const { name = 'command' } = options
  const cached = checkFlag('requestCache.enabled', options['requestCache.enabled'] ?? true)
  const fallsBack = checkFlag('fallback.enabled', options['fallback.enabled'] ?? true)
  const breaker = new Breaker(breakerOptions({ ...options, name }), { requestCache: cached })
  const cache = new CachedCalls<T>(breaker)
  const start = (run: Work<T>, { cacheKey, ...call }: CommandCall<T> = {}): Execution<T> => {
    const { fallback } = call
    const execution = cache.start(
      cached ? cacheKey : undefined,
      (signal) => breaker.start(run, { ...call, signal, fallback: fallsBack && fallback }),
      call.signal,
    )
    return {
      answer: execution.answer.catch((error: unknown) => {
        throw hystrixError(name, execution.events, error)
      }),
      get events() {
        return execution.events
      },
    }
  }
  return {
    breaker,
    start,
    execute: (run, call) => start(run, call).answer,
    clearCache: (key) => cache.clear(key),
    [Symbol.asyncDispose]: () => breaker[Symbol.asyncDispose](),
  }
}

function breakerOptions({ clock, group, ...options }: CommandOptions & { name: string }): BreakerOptions {
  const circuit = hystrix(options)
  const hasTimeout = options['execution.timeout.enabled'] ?? true
  const latencies = checkFlag(
    'metrics.rollingPercentile.enabled',
    options['metrics.rollingPercentile.enabled'] ?? true,
  )
  const { size, buckets } = timeWindow(
    slicesOf('metrics.rollingPercentile'),
    options['metrics.rollingPercentile.timeInMilliseconds'] ?? 60_000,
    options['metrics.rollingPercentile.numBuckets'] ?? 6,
  )
  return {
    name: options.name,
    group: group ?? options.name,
    circuit,
    timeout: hasTimeout && (options['execution.isolation.thread.timeoutInMilliseconds'] ?? 1000),
    bulkhead: bulkheadOf(options),
    fallbackMax: options['fallback.isolation.semaphore.maxConcurrentRequests'] ?? 10,
    isFailure: (error) => !(error instanceof HystrixBadRequestException),
    metrics: {
      events: {
        size: options['metrics.rollingStats.timeInMilliseconds'] ?? 10_000,
        buckets: options['metrics.rollingStats.numBuckets'] ?? 10,
      },
      latencies: latencies && { size, buckets },
    },
    ...(clock === undefined ? {} : { clock }),
  }
}

function bulkheadOf(options: CommandOptions): BulkheadOptions {
  const { 'execution.isolation.strategy': strategy = 'THREAD', coreSize = 10 } = options
  if (strategy === 'SEMAPHORE') {
    const max = options['execution.isolation.semaphore.maxConcurrentRequests'] ?? 10
    return { max, isolation: 'SEMAPHORE' }
  }
  const { maxQueueSize = -1, queueSizeRejectionThreshold = 5, maximumSize = coreSize } = options
  const queue = Math.max(0, Math.min(maxQueueSize, queueSizeRejectionThreshold))
  // A ThreadPoolExecutor makes threads beyond its core only where its queue takes no more.
  const diverges = options.allowMaximumSizeToDivergeFromCoreSize === true && queue === 0
  const max = diverges ? Math.max(coreSize, maximumSize) : coreSize
  return { max, queue, isolation: 'THREAD', timesQueue: true }
}
