import type { EventEmitter } from 'node:events'
import { bucketsMax, countMax } from '../../circuit-options.ts'
import { InvalidOptionError, shown } from '../../errors.ts'
import { checkInteger, durationMax } from '../../option-checks.ts'
import type { Aborter } from './abort-signals.ts'
import { type CacheTransport, cacheSizeMax, MemoryCache } from './memory-cache.ts'
import { type Stats, Status, type StatusOptions } from './status.ts'

/** A function whose arguments are compared as a method's, so that a breaker of any arguments is a `CircuitBreaker`. */
export type Hook<A extends unknown[], R> = { call(...args: A): R }['call']

/** What `toJSON` saves and the option `state` restores. */
export interface State {
  name: string
  enabled: boolean
  closed: boolean
  open: boolean
  halfOpen: boolean
  warmUp: boolean
  shutdown: boolean
  /** When it opened last: milliseconds since 1970-01-01 UTC. */
  lastTimerAt: number | undefined
}

export type CoalesceReset = 'error' | 'success' | 'timeout'

/** The options of opossum 10, with its defaults. All times are milliseconds. */
export interface Options<TI extends unknown[] = unknown[]> {
  /** Of `CircuitBreaker.newStatus`, or the `stats` of another breaker. */
  status?: Status | Partial<Stats> | undefined
  /** Of `toJSON`. An open breaker stays open for what is left of `resetTimeout`. */
  state?: Partial<State> | undefined
  /** The time limit of a call; `false` or 0 for none. Default 10,000. */
  timeout?: number | false | undefined
  /** @deprecated Use `errorThresholdPercentage`. It does nothing. */
  maxFailures?: number | undefined
  /** From the opening to the half-open state. Default 30,000. */
  resetTimeout?: number | undefined
  /** The rolling window. Default 10,000. */
  rollingCountTimeout?: number | undefined
  /** Its slices. Default 10. */
  rollingCountBuckets?: number | undefined
  /** Default: the name of the action, or a UUID. */
  name?: string | undefined
  /** Default: `name`. */
  group?: string | undefined
  /** False: latencies are not kept. Default true. */
  rollingPercentilesEnabled?: boolean | undefined
  /** Calls at once. Default: Number.MAX_SAFE_INTEGER. */
  capacity?: number | undefined
  /** Opens where more percents of the fires failed. Default 50. */
  errorThresholdPercentage?: number | undefined
  /** Default true. */
  enabled?: boolean | undefined
  /** Whether it cannot open in its first `rollingCountTimeout`. Default false. */
  allowWarmUp?: boolean | undefined
  /** Fires in the window before it can open. Default 0. */
  volumeThreshold?: number | undefined
  /** True for an error that counts as a success; its caller gets it, and no fallback. It is given the arguments too. */
  errorFilter?: Hook<[error: Error, ...args: TI], unknown> | undefined
  /** Keeps results of calls that succeeded. Default false. */
  cache?: boolean | undefined
  /** 0 for ever. Default 0. */
  cacheTTL?: number | undefined
  /** Entries of the built-in cache. Default 2^24 - 1. */
  cacheSize?: number | undefined
  /** Default: the arguments as JSON. */
  cacheGetKey?: Hook<TI, string> | undefined
  /** Default: in memory. */
  cacheTransport?: CacheTransport | undefined
  /** Calls of one key share one execution. Default false. */
  coalesce?: boolean | undefined
  /** How long they do. 0 for ever. Default: `timeout`. */
  coalesceTTL?: number | undefined
  /** Default 2^24 - 1. */
  coalesceSize?: number | undefined
  /** What ends it earlier. Default: nothing. */
  coalesceResetOn?: readonly string[] | undefined
  /** Aborted when a call times out. Without `autoRenewAbortController` all calls share it. */
  abortController?: Aborter | undefined
  /** A new one after each that was aborted, and calls do not abort each other: see `getSignal`. Default false. */
  autoRenewAbortController?: boolean | undefined
  /** Default true. */
  enableSnapshots?: boolean | undefined
  /** Its event `rotate` turns the window, in place of time. */
  rotateBucketController?: EventEmitter | undefined
}

/** Options checked, with their defaults. Those that a call goes by may be changed at any time. */
export interface Settings<TI extends unknown[] = unknown[]> extends Options<TI> {
  timeout: number | false
  resetTimeout: number
  rollingCountTimeout: number
  rollingCountBuckets: number
  rollingPercentilesEnabled: boolean
  capacity: number
  errorThresholdPercentage: number
  volumeThreshold: number
  errorFilter: Hook<[error: Error, ...args: TI], unknown>
  cacheTTL: number
  cacheGetKey: Hook<TI, string>
  coalesce: boolean
  coalesceSize: number
  coalesceTTL: number
  coalesceResetOn: CoalesceReset[]
  enableSnapshots: boolean
}

/** @throws InvalidOptionError naming the option; TypeError where opossum has one. */
export function readOptions<TI extends unknown[]>(options: Options<TI>): Settings<TI> {
  if (options === null || typeof options !== 'object')
    throw new InvalidOptionError(`options must be an object, not ${shown(options)}`)
  const timeout = options.timeout === false ? false : number('timeout', options.timeout, 10_000, durationMax)
  const size = (name: 'cacheSize' | 'coalesceSize'): number =>
    checkInteger(name, options[name] ?? cacheSizeMax, 1, cacheSizeMax)
  return {
    ...options,
    timeout,
    resetTimeout: number('resetTimeout', options.resetTimeout, 30_000, durationMax),
    rollingCountTimeout: number('rollingCountTimeout', options.rollingCountTimeout, 10_000, durationMax),
    rollingCountBuckets: number('rollingCountBuckets', options.rollingCountBuckets, 10, bucketsMax, true),
    rollingPercentilesEnabled: options.rollingPercentilesEnabled !== false,
    capacity: checkInteger(
      'capacity',
      options.capacity ?? Number.MAX_SAFE_INTEGER,
      1,
      Number.MAX_SAFE_INTEGER,
    ),
    errorThresholdPercentage: number('errorThresholdPercentage', options.errorThresholdPercentage, 50),
    volumeThreshold: checkInteger('volumeThreshold', options.volumeThreshold ?? 0, 0, countMax),
    errorFilter: checkFunction('errorFilter', options.errorFilter || (() => false)),
    cacheTTL: number('cacheTTL', options.cacheTTL, 0),
    cacheGetKey: checkFunction('cacheGetKey', options.cacheGetKey ?? ((...args) => JSON.stringify(args))),
    ...(options.cache && {
      cacheTransport: checkTransport(options.cacheTransport ?? new MemoryCache(size('cacheSize'))),
    }),
    coalesce: Boolean(options.coalesce),
    coalesceSize: size('coalesceSize'),
    coalesceTTL: number('coalesceTTL', options.coalesceTTL, timeout || 0),
    coalesceResetOn: options.coalesceResetOn?.filter(isCoalesceReset) ?? [],
    abortController: checkAborter(options),
    enableSnapshots: options.enableSnapshots !== false,
  }
}

/** The status that the options ask for. @throws InvalidOptionError */
export function readStatus<TI extends unknown[]>(options: Settings<TI>): Status {
  const { status } = options
  return status instanceof Status ? status : makeStatus(status ? { ...options, stats: status } : options)
}

export function makeStatus(options?: StatusOptions): Status {
  return new Status(options)
}

function number(
  name: string,
  value: unknown,
  otherwise: number,
  max: number = Number.MAX_SAFE_INTEGER,
  whole = false,
): number {
  const given = value ?? otherwise
  if (typeof given === 'number' && given >= 0 && given <= max && (!whole || Number.isInteger(given)))
    return given
  const kind = whole ? 'finite number, whole and' : 'finite number'
  throw new InvalidOptionError(`${name} must be a ${kind} of 0 to ${max}, not ${shown(given)}`)
}

function checkFunction<F>(name: string, value: F): F {
  if (typeof value === 'function') return value
  throw new InvalidOptionError(`${name} must be a function, not ${shown(value)}`)
}

function checkTransport(transport: CacheTransport): CacheTransport {
  const has = (name: string): boolean => typeof Reflect.get(transport, name) === 'function'
  if (typeof transport === 'object' && transport !== null && ['get', 'set', 'flush'].every(has))
    return transport
  throw new TypeError('options.cacheTransport should be an object with `get`, `set` and `flush` methods')
}

function checkAborter({ abortController, autoRenewAbortController }: Options<never>): Aborter | undefined {
  if (!abortController) return autoRenewAbortController ? new AbortController() : undefined
  if (typeof abortController.abort === 'function') return abortController
  throw new TypeError('AbortController does not contain `abort()` method')
}

function isCoalesceReset(name: string): name is CoalesceReset {
  return name === 'error' || name === 'success' || name === 'timeout'
}
