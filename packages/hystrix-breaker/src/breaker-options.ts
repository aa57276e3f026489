import { type CircuitOptions, circuitOptionNames, circuitSettings } from './circuit-options.ts'
import { InvalidOptionError, shown } from './errors.ts'
import { checkDuration, checkInteger, checkNames } from './option-checks.ts'
import { type Clock, realClock } from './ports.ts'
import type { CircuitSettings } from './settings.ts'

export interface BulkheadOptions {
  /** Calls at once. */
  readonly max: number
  /** Calls that may wait for a place. Default 0. */
  readonly queue?: number
}

/** The options of a circuit, or `circuit` from a preset; and what is around the call. */
export interface BreakerOptions extends Omit<CircuitOptions, 'timeout'> {
  /** For messages and events. Default `breaker`. */
  readonly name?: string
  /** Settings of a preset, such as `presets.resilience4j()`, in place of all options of the circuit. */
  readonly circuit?: CircuitSettings
  /** The time limit of a call; `false` for none. Default 1 s. */
  readonly timeout?: CircuitOptions['timeout'] | false
  /** Default: no limit. */
  readonly bulkhead?: BulkheadOptions
  /** Whether an error of the call counts. False: it goes to the caller as it is, uncounted. Default: every one counts. */
  readonly isFailure?: (error: unknown) => boolean
  /** Default: real time. */
  readonly clock?: Clock
}

/** Options checked, with their defaults. */
export interface BreakerSettings {
  readonly name: string
  readonly circuit: CircuitSettings
  readonly timeout: number | undefined
  readonly bulkhead: { readonly max: number; readonly queue: number } | undefined
  readonly isFailure: ((error: unknown) => boolean) | undefined
  readonly clock: Clock
}

const callOptionNames = ['name', 'circuit', 'timeout', 'bulkhead', 'isFailure', 'clock']

/** @throws InvalidOptionError naming the option. */
export function breakerSettings(options: BreakerOptions): BreakerSettings {
  checkNames('options', options, [...callOptionNames, ...circuitOptionNames])
  const {
    name = 'breaker',
    circuit,
    timeout = 1000,
    bulkhead,
    isFailure,
    clock = realClock,
    ...own
  } = options
  if (typeof name !== 'string') throw new InvalidOptionError(`name must be a text, not ${shown(name)}`)
  if (isFailure !== undefined && typeof isFailure !== 'function')
    throw new InvalidOptionError(`isFailure must be a function, not ${shown(isFailure)}`)
  const [doubled] = Object.keys(own)
  if (circuit !== undefined && doubled !== undefined)
    throw new InvalidOptionError(`${doubled} stands beside circuit, which has it already: leave one out`)
  const limit = timeout === false ? undefined : checkDuration('timeout', timeout)
  return {
    name,
    circuit: circuit ?? circuitSettings(limit === undefined ? own : { ...own, timeout: limit }),
    timeout: limit,
    bulkhead: bulkhead === undefined ? undefined : readBulkhead(bulkhead),
    isFailure,
    clock,
  }
}

function readBulkhead(bulkhead: BulkheadOptions): { max: number; queue: number } {
  checkNames('bulkhead', bulkhead, ['max', 'queue'])
  return {
    max: checkInteger('bulkhead.max', bulkhead.max, 1, 1_000_000),
    queue: checkInteger('bulkhead.queue', bulkhead.queue ?? 0, 0, 1_000_000),
  }
}
