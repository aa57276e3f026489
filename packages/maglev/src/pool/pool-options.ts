import { type Duration, parseDuration, parsePositiveDuration } from '../duration.ts'
import { MaglevError, shown } from '../errors.ts'
import { wantObject } from '../given.ts'
import type { ModeName } from '../mode/mode.ts'
import { type Clock, type Random, realClock, realRandom } from '../ports.ts'
import { type HttpProbeOptions, httpProbe } from './http-probe.ts'
import type { OutlierOptions } from './outlier.ts'
import { checkPriorityOptions } from './priority.ts'
import type { CheckSettings, Prober } from './probe.ts'
import { checkSlowStart, type SlowStart, type SlowStartOptions } from './slow-start.ts'
import { type TcpProbeOptions, tcpProbe } from './tcp-probe.ts'

/** When probes are sent and how many results in a row count. */
export interface CheckTiming {
  /** From the start of a probe to the start of the next. Default 5 s. */
  readonly interval?: Duration
  /** A random time up to this is added to each interval. Default a tenth of `interval`. */
  readonly jitter?: Duration
  /** A probe that takes longer has failed. Default 1 s. */
  readonly timeout?: Duration
  /** Passes in a row after which an unhealthy backend is healthy. Default 2; the first result of all decides alone. */
  readonly healthyThreshold?: number
  /** Failures in a row after which a healthy backend is unhealthy. Default 3; the first result of all decides alone. */
  readonly unhealthyThreshold?: number
}

export interface HttpCheckOptions extends CheckTiming, HttpProbeOptions {
  readonly type?: 'http'
}

export interface TcpCheckOptions extends CheckTiming, TcpProbeOptions {
  readonly type: 'tcp'
}

export interface CustomCheckOptions<T = unknown> extends CheckTiming {
  readonly probe: Prober<T>
}

export interface TrackingOptions {
  /** Flows that are remembered at most; memory is taken at once. Default 65,536. */
  readonly capacity?: number
  /** A flow unused for so long is forgotten. Default 60 s. */
  readonly ttl?: Duration
}

export interface PoolOptions<T = unknown> {
  /** Active checks. Default none. */
  readonly active?: HttpCheckOptions | TcpCheckOptions | CustomCheckOptions<T>
  /** Ejection of backends whose calls fail, as leases report them; true takes Envoy's defaults. Default false. */
  readonly outlier?: boolean | OutlierOptions
  /**
   * When fewer than this part of a level's backends are available, its keys go to all of them, since so many failures are
   * more likely an error of checking or an overload that would spread. 0 to 1, default 0.5; 0 disables.
   */
  readonly panicThreshold?: number
  /** A level of priority takes all keys while its available part times this is 1. At least 1, default 1.4. */
  readonly overProvisioning?: number
  /**
   * No backend holds more than this times its share of the leases, rounded up; what is beyond goes to the next owner of the
   * key. At least 1, for example 1.25. Mode `envoy` walks as Envoy does (its `hash_balance_factor` is 100 times this).
   * Default none.
   */
  readonly boundedLoad?: number
  /** Gives a backend that comes back or is added its share gradually. Default none. */
  readonly slowStart?: Duration | SlowStartOptions
  /** Keeps flows on their backend while it is up or draining, whatever the table says. Default none. */
  readonly tracking?: TrackingOptions
  readonly clock?: Clock
  readonly random?: Random
}

/** The options with their defaults, checked. */
export interface PoolSettings<T> {
  readonly checks: CheckSettings<T> | undefined
  readonly outlier: OutlierOptions | true | undefined
  readonly priority: { readonly panicThreshold: number; readonly overProvisioning: number }
  readonly boundedLoad: number | undefined
  readonly slowStart: SlowStart | undefined
  readonly tracking: { readonly capacity: number; readonly ttl: number } | undefined
  readonly clock: Clock
  readonly random: Random
}

const trackedFlowsMax = 2 ** 24

const poolOptions = [
  'active',
  'outlier',
  'panicThreshold',
  'overProvisioning',
  'boundedLoad',
  'slowStart',
  'tracking',
  'clock',
  'random',
] as const satisfies (keyof PoolOptions)[]
const checkTiming = [
  'interval',
  'jitter',
  'timeout',
  'healthyThreshold',
  'unhealthyThreshold',
] as const satisfies (keyof CheckTiming)[]
const checkOptions = {
  http: ['type', 'path', 'host', 'port', 'tls', 'statuses', ...checkTiming],
  tcp: ['type', 'port', ...checkTiming],
  custom: ['probe', ...checkTiming],
} as const satisfies {
  http: (keyof HttpCheckOptions)[]
  tcp: (keyof TcpCheckOptions)[]
  custom: (keyof CustomCheckOptions)[]
}

export function checkPoolOptions<T>(options: PoolOptions<T>, mode: ModeName): PoolSettings<T> {
  wantOptions('options', options, poolOptions)
  const {
    active,
    outlier = false,
    panicThreshold,
    overProvisioning,
    boundedLoad,
    slowStart,
    tracking,
    clock = realClock,
    random = realRandom,
  } = options
  if (typeof outlier !== 'boolean') wantObject('outlier', outlier)
  if (boundedLoad !== undefined && !(Number.isFinite(boundedLoad) && boundedLoad >= 1)) {
    throw invalid(`boundedLoad must be a number, 1 or more, like 1.25, not ${shown(boundedLoad)}`)
  }
  if (slowStart !== undefined && mode !== 'stable' && mode !== 'classic' && mode !== 'envoy') {
    throw invalid(`slowStart needs fractions of a weight, which mode ${mode} does not take`)
  }
  return {
    checks: active === undefined ? undefined : checkActive(active),
    outlier: outlier === false ? undefined : outlier,
    priority: checkPriorityOptions({
      ...(panicThreshold === undefined ? {} : { panicThreshold }),
      ...(overProvisioning === undefined ? {} : { overProvisioning }),
    }),
    boundedLoad,
    slowStart: slowStart === undefined ? undefined : checkSlowStart(slowStart),
    tracking: tracking === undefined ? undefined : checkTracking(tracking),
    clock: wantPort('clock', clock, ['now', 'monotonic', 'setTimeout', 'clearTimeout']),
    random: wantPort('random', random, ['next']),
  }
}

function checkActive<T>(
  active: HttpCheckOptions | TcpCheckOptions | CustomCheckOptions<T>,
): CheckSettings<T> {
  wantObject('active', active)
  const prober = proberOf(active)
  const { timeout = 1000, healthyThreshold = 2, unhealthyThreshold = 3 } = active
  const { interval: given = 5000 } = active
  const interval = parsePositiveDuration('active.interval', given)
  const { jitter = interval / 10 } = active
  return {
    prober,
    interval,
    jitter: parseDuration('active.jitter', jitter),
    timeout: parsePositiveDuration('active.timeout', timeout),
    thresholds: {
      healthy: checkCount('active.healthyThreshold', healthyThreshold, 1000),
      unhealthy: checkCount('active.unhealthyThreshold', unhealthyThreshold, 1000),
    },
  }
}

function proberOf<T>(active: HttpCheckOptions | TcpCheckOptions | CustomCheckOptions<T>): Prober<T> {
  if ('probe' in active) {
    wantOptions('active', active, checkOptions.custom)
    if (typeof active.probe === 'function') return active.probe
    throw invalid(`active.probe must be a function, not ${shown(active.probe)}`)
  }
  const { type = 'http', port } = active
  if (type !== 'http' && type !== 'tcp') throw invalid(`active.type must be http or tcp, not ${shown(type)}`)
  wantOptions('active', active, checkOptions[type])
  if (port !== undefined) checkCount('active.port', port, 65_535)
  return active.type === 'tcp' ? tcpProbe(active) : httpProbe(checkHttp(active))
}

function checkHttp(options: HttpCheckOptions): HttpProbeOptions {
  const { path = '/', host, tls = false, statuses } = options
  // No character that could end the request line.
  if (typeof path !== 'string' || !/^\/[!-~]*$/.test(path)) {
    throw invalid(`active.path must begin with / and be printable ASCII without spaces, not ${shown(path)}`)
  }
  if (host !== undefined && (typeof host !== 'string' || !/^[!-~]+$/.test(host))) {
    throw invalid(`active.host must be printable ASCII without spaces, not ${shown(host)}`)
  }
  if (typeof tls !== 'boolean') wantObject('active.tls', tls)
  if (statuses !== undefined) {
    if (!Array.isArray(statuses) || statuses.length === 0) {
      throw invalid(`active.statuses must be a list of statuses, not ${shown(statuses)}`)
    }
    for (const status of statuses) checkCount('active.statuses', status, 999)
  }
  return options
}

function checkTracking(tracking: TrackingOptions): { capacity: number; ttl: number } {
  wantOptions('tracking', tracking, ['capacity', 'ttl'])
  const { capacity = 65_536, ttl = 60_000 } = tracking
  return {
    capacity: checkCount('tracking.capacity', capacity, trackedFlowsMax),
    ttl: parsePositiveDuration('tracking.ttl', ttl),
  }
}

function checkCount(name: string, count: unknown, max: number): number {
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= max) return count
  throw invalid(`${name} must be a whole number from 1 to ${max}, not ${shown(count)}`)
}

function wantPort<Port extends object>(name: string, port: Port, methods: readonly (keyof Port)[]): Port {
  wantObject(name, port)
  for (const method of methods) {
    if (typeof port[method] !== 'function') throw invalid(`${name} must have the method ${String(method)}`)
  }
  return port
}

function wantOptions(name: string, value: object, names: readonly string[]): void {
  wantObject(name, value)
  for (const each of Object.keys(value)) {
    if (!names.includes(each)) throw invalid(`${name} has no ${shown(each)}; it may have ${names.join(', ')}`)
  }
}

function invalid(message: string): MaglevError {
  return new MaglevError('INVALID_OPTION', message)
}
