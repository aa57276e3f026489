import { type CircuitOptions, circuitOptionNames, circuitSettings, timeWindow } from './circuit-options.ts'
import { InvalidOptionError, shown } from './errors.ts'
import {
  checkClock,
  checkDuration,
  checkFlag,
  checkInteger,
  checkNames,
  type Duration,
} from './option-checks.ts'
import { type Clock, realClock } from './ports.ts'
import type { CircuitSettings } from './settings.ts'

export interface BulkheadOptions {
  /** Calls at once; 0 refuses all. */
  readonly max: number
  /** Calls that may wait for a place. Default 0. */
  readonly queue?: number
  /** What it is shown as, and what a refusal is called. Default: `THREAD`, a pool, where there is a queue. */
  readonly isolation?: Isolation
  /**
   * Whether `timeout` includes the wait for a place, as in Hystrix: a call whose time ends there is never run. It counts as
   * a full bulkhead does: only in the preset `hystrix`. Default false: the time limit begins with the work.
   */
  readonly timesQueue?: boolean
}

/** Hystrix's two kinds of bulkhead. Here both only count: Node has no pool of threads for calls. */
export type Isolation = 'THREAD' | 'SEMAPHORE'

/** What {@link BreakerMetrics} keeps; each size is a multiple of its buckets. */
export interface MetricsOptions {
  /** Of event counts. Default: 10 s in 10 slices. */
  readonly events?: { readonly size: Duration; readonly buckets: number }
  /** Of latencies. Default: 60 s in 6 slices; `false` keeps none. */
  readonly latencies?: { readonly size: Duration; readonly buckets: number } | false
}

/** The options of a circuit, or `circuit` from a preset; and what is around the call. */
export interface BreakerOptions extends Omit<CircuitOptions, 'timeout'> {
  /** For messages and events. Default `breaker`. */
  readonly name?: string
  /** What it is shown with, as on dashboards. Default: its name. */
  readonly group?: string
  /** Settings of a preset, such as `presets.resilience4j()`, in place of all options of the circuit. */
  readonly circuit?: CircuitSettings
  /** The time limit of a call; `false` for none. Default 1 s. */
  readonly timeout?: CircuitOptions['timeout'] | false
  /** Default: no limit. */
  readonly bulkhead?: BulkheadOptions
  /** Whether an error of the call counts. False: it goes to the caller as it is, uncounted. Default: every one counts. */
  readonly isFailure?: (error: unknown) => boolean
  /** Fallbacks that may run at once; more fail with FALLBACK_REJECTION. Default: no limit. */
  readonly fallbackMax?: number
  readonly metrics?: MetricsOptions
  /**
   * A timer of the time limit that fires later than this shows that the process itself stood still. Calls then have as
   * long again to be answered; those that are not are rejected with `TIMEOUT`, but do not count, and the event `lag` is
   * told. While probes are out, or calls with `slow`, a timer beats every so often: a time that it misses makes no call
   * slow and is part of no lease. `false`: every timeout counts, all time does. Default 250 ms.
   */
  readonly lagTolerance?: Duration | false
  /** Whether refusals have a stack, which costs more than all the rest of them. Default false. */
  readonly stacks?: boolean
  /** Default: real time. */
  readonly clock?: Clock
}

/** Milliseconds in so many slices. */
export interface SlicedTime {
  readonly size: number
  readonly buckets: number
}

/** Options checked, with their defaults. */
export interface BreakerSettings {
  readonly name: string
  readonly group: string
  readonly circuit: CircuitSettings
  /** Milliseconds; undefined for no limit. */
  readonly timeout: number | undefined
  readonly bulkhead: Required<BulkheadOptions> | undefined
  readonly isFailure: ((error: unknown) => boolean) | undefined
  readonly fallbackMax: number
  /** `latencies` is undefined where none are kept. */
  readonly metrics: { readonly events: SlicedTime; readonly latencies: SlicedTime | undefined }
  /** Milliseconds; undefined where the process is not watched. */
  readonly lagTolerance: number | undefined
  readonly stacks: boolean
  /** Whether calls of one request share answers. */
  readonly requestCache: boolean
  readonly clock: Clock
}

const callOptionNames = [
  'name',
  'group',
  'circuit',
  'timeout',
  'bulkhead',
  'isFailure',
  'fallbackMax',
  'metrics',
  'lagTolerance',
  'stacks',
  'clock',
]

/** @throws InvalidOptionError naming the option. */
export function breakerSettings(options: BreakerOptions, requestCache: boolean): BreakerSettings {
  checkNames('options', options, [...callOptionNames, ...circuitOptionNames])
  const {
    name = 'breaker',
    group = name,
    circuit,
    timeout = 1000,
    bulkhead,
    isFailure,
    fallbackMax = Infinity,
    metrics = {},
    lagTolerance = 250,
    stacks = false,
    clock = realClock,
    ...own
  } = options
  if (typeof name !== 'string') throw new InvalidOptionError(`name must be a text, not ${shown(name)}`)
  if (typeof group !== 'string') throw new InvalidOptionError(`group must be a text, not ${shown(group)}`)
  if (isFailure !== undefined && typeof isFailure !== 'function')
    throw new InvalidOptionError(`isFailure must be a function, not ${shown(isFailure)}`)
  const [doubled] = Object.keys(own)
  if (circuit !== undefined && doubled !== undefined)
    throw new InvalidOptionError(`${doubled} stands beside circuit, which has it already: leave one out`)
  if (circuit !== undefined && (typeof circuit !== 'object' || typeof circuit?.openFor !== 'function'))
    throw new InvalidOptionError(
      `circuit must be what a preset gives, such as presets.hystrix(), not ${shown(circuit)}`,
    )
  const limit = timeout === false ? undefined : checkDuration('timeout', timeout)
  return {
    name,
    group,
    circuit: circuit ?? circuitSettings(limit === undefined ? own : { ...own, timeout: limit }),
    timeout: limit,
    bulkhead: bulkhead === undefined ? undefined : readBulkhead(bulkhead),
    isFailure,
    fallbackMax:
      fallbackMax === Infinity ? fallbackMax : checkInteger('fallbackMax', fallbackMax, 0, 1_000_000),
    metrics: readMetrics(metrics),
    lagTolerance: lagTolerance === false ? undefined : checkDuration('lagTolerance', lagTolerance),
    stacks: checkFlag('stacks', stacks),
    requestCache,
    clock: checkClock(clock),
  }
}

function readMetrics(metrics: MetricsOptions): BreakerSettings['metrics'] {
  checkNames('metrics', metrics, ['events', 'latencies'])
  const { events = { size: 10_000, buckets: 10 }, latencies = { size: 60_000, buckets: 6 } } = metrics
  return {
    events: readSlices('metrics.events', events),
    latencies: latencies === false ? undefined : readSlices('metrics.latencies', latencies),
  }
}

function readSlices(name: string, slices: { readonly size: Duration; readonly buckets: number }): SlicedTime {
  checkNames(name, slices, ['size', 'buckets'])
  const { size, buckets } = timeWindow(name, slices.size, slices.buckets)
  return { size, buckets }
}

function readBulkhead(bulkhead: BulkheadOptions): Required<BulkheadOptions> {
  checkNames('bulkhead', bulkhead, ['max', 'queue', 'isolation', 'timesQueue'])
  const queue = checkInteger('bulkhead.queue', bulkhead.queue ?? 0, 0, 1_000_000)
  const { isolation = queue > 0 ? 'THREAD' : 'SEMAPHORE' } = bulkhead
  if (isolation !== 'THREAD' && isolation !== 'SEMAPHORE')
    throw new InvalidOptionError(`bulkhead.isolation must be THREAD or SEMAPHORE, not ${shown(isolation)}`)
  return {
    max: checkInteger('bulkhead.max', bulkhead.max, 0, 1_000_000),
    queue,
    isolation,
    timesQueue: checkFlag('bulkhead.timesQueue', bulkhead.timesQueue ?? false),
  }
}
