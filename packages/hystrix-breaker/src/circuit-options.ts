import { InvalidOptionError, shown } from './errors.ts'
import { type OpenInterval, readOpenInterval } from './open-interval.ts'
import {
  checkDuration,
  checkFlag,
  checkInteger,
  checkNames,
  checkShare,
  type Duration,
} from './option-checks.ts'
import type { CircuitSettings, WindowSettings } from './settings.ts'

/** A time window has `buckets` slices of equal whole or fractional milliseconds; a count window the last `size` calls. */
export type WindowOptions =
  | { readonly type: 'time'; readonly size: Duration; readonly buckets: number }
  | { readonly type: 'count'; readonly size: number }

/** When a circuit opens, and how it closes again. */
export interface CircuitOptions {
  /** Outcomes that the window must hold before its rates count; in a count window at most its size. Default 20. */
  readonly volumeThreshold?: number
  /** Failures by outcomes, above 0 and up to 1, from which on it opens. Default 0.5. */
  readonly errorThreshold?: number
  /** Calls longer than `over` are slow; it opens where their share reaches `rate`, above 0 and up to 1. Default: none. */
  readonly slow?: { readonly over: Duration; readonly rate: number } | undefined
  /** Failures in a row that open, beside the window. Default: not looked at. */
  readonly consecutive?: number | undefined
  /** Default: 10 s in 10 slices. `false`: none, only `consecutive` opens. */
  readonly window?: WindowOptions | false
  /** How long it stays open, or a function of how often in a row it has opened (from 1). Default 5 s. */
  readonly sleepWindow?: Duration | OpenInterval
  /** The time limit of a call. Default 1 s. Here only the default of `probeTimeout` depends on it. */
  readonly timeout?: Duration
  /** Calls let through half-open. Default 1. */
  readonly probes?: number
  /** Successes that close. Default: `probes`. */
  readonly successThreshold?: number
  /** Probes out at the same time. Default: `probes`. */
  readonly probeConcurrency?: number
  /** After that a probe counts as failed. Default: the longer of `timeout` and the first `sleepWindow`. */
  readonly probeTimeout?: Duration
  /** Half-opens when the wait ends, not at the next call. Default false. */
  readonly autoHalfOpen?: boolean
}

export const circuitOptionNames: readonly (keyof CircuitOptions)[] = [
  'volumeThreshold',
  'errorThreshold',
  'slow',
  'consecutive',
  'window',
  'sleepWindow',
  'timeout',
  'probes',
  'successThreshold',
  'probeConcurrency',
  'probeTimeout',
  'autoHalfOpen',
]

export const countMax = 10_000_000
export const bucketsMax = 10_000

/** What all presets share until they say otherwise. */
export const baseSettings: Omit<CircuitSettings, 'openFor'> = {
  window: { type: 'time', size: 10_000, buckets: 10 },
  volumeThreshold: 20,
  errorThreshold: 0.5,
  operator: '>=',
  slow: undefined,
  consecutive: undefined,
  wait: 'from',
  autoHalfOpen: false,
  probes: 1,
  probeConcurrency: 1,
  successThreshold: 1,
  probeTimeout: 5000,
  halfOpen: 'successes',
  halfOpenMax: Infinity,
  afterHalfOpenMax: 'open',
  initial: 'closed',
  forcedClosed: 'forced-closed',
  rejectionsCount: false,
}

/**
 * The options of a circuit, checked, with their defaults.
 *
 * @throws InvalidOptionError naming the option.
 */
export function circuitSettings(options: CircuitOptions = {}): CircuitSettings {
  checkNames('options', options, circuitOptionNames)
  const sleepWindow = options.sleepWindow ?? 5000
  const openFor = readOpenInterval('sleepWindow', sleepWindow)
  const timeout = checkDuration('timeout', options.timeout ?? 1000)
  const probes = checkInteger('probes', options.probes ?? 1, 1, countMax)
  const window = readWindow(options.window ?? { type: 'time', size: 10_000, buckets: 10 })
  const { consecutive } = options
  if (window === undefined && consecutive === undefined) {
    throw new InvalidOptionError('window is false: give consecutive, or nothing can open the circuit')
  }
  return {
    ...baseSettings,
    window,
    volumeThreshold: checkInteger('volumeThreshold', options.volumeThreshold ?? 20, 0, countMax),
    errorThreshold: checkShare('errorThreshold', options.errorThreshold ?? 0.5, 1),
    slow: options.slow === undefined ? undefined : readSlow(options.slow),
    consecutive:
      consecutive === undefined ? undefined : checkInteger('consecutive', consecutive, 1, countMax),
    openFor,
    autoHalfOpen: checkFlag('autoHalfOpen', options.autoHalfOpen ?? false),
    probes,
    successThreshold: checkInteger('successThreshold', options.successThreshold ?? probes, 1, probes),
    probeConcurrency: checkInteger('probeConcurrency', options.probeConcurrency ?? probes, 1, probes),
    probeTimeout: checkDuration('probeTimeout', options.probeTimeout ?? Math.max(timeout, openFor(1))),
  }
}

/** What the two options of a time window are called. */
export interface WindowNames {
  readonly size: string
  readonly buckets: string
}

/**
 * A time window, checked: its size must be a multiple of `buckets`. A text stands for `<text>.size` and `<text>.buckets`.
 *
 * @throws InvalidOptionError
 */
export function timeWindow(
  name: string | WindowNames,
  size: unknown,
  buckets: unknown,
): Extract<WindowSettings, { readonly type: 'time' }> {
  const names = typeof name === 'string' ? { size: `${name}.size`, buckets: `${name}.buckets` } : name
  const ms = checkDuration(names.size, size)
  const slices = checkInteger(names.buckets, buckets, 1, bucketsMax)
  if (ms % slices !== 0) {
    throw new InvalidOptionError(
      `${names.size} of ${ms} ms must be a multiple of its ${slices} slices (${names.buckets}); ${Math.ceil(ms / slices) * slices} ms is one`,
    )
  }
  return { type: 'time', size: ms, buckets: slices }
}

function readWindow(window: unknown): WindowSettings | undefined {
  if (window === false) return undefined
  checkNames('window', window, ['type', 'size', 'buckets'])
  const { type, size, buckets }: Partial<Record<string, unknown>> = { ...Object(window) }
  if (type === 'time') return timeWindow('window', size, buckets)
  if (type === 'count') return { type, size: checkInteger('window.size', size, 1, countMax) }
  throw new InvalidOptionError(`window.type must be time or count, not ${shown(type)}`)
}

function readSlow(slow: unknown): CircuitSettings['slow'] {
  checkNames('slow', slow, ['over', 'rate'])
  const { over, rate }: Partial<Record<string, unknown>> = { ...Object(slow) }
  return { over: checkDuration('slow.over', over), rate: checkShare('slow.rate', rate, 1) }
}
