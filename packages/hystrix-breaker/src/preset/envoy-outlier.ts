import { baseSettings, countMax } from '../circuit-options.ts'
import { checkDuration, checkInteger, checkNames, type Duration } from '../option-checks.ts'
import type { CircuitSettings } from '../settings.ts'

/** Those of Envoy's outlier_detection that hold for one host alone. */
export interface EnvoyOutlierOptions {
  /** Default 5. */
  readonly consecutive5xx?: number
  /** Default 30 s; the n-th ejection in a row lasts n times as long. */
  readonly baseEjectionTime?: Duration
  /** Default 300 s, or the base where that is longer. */
  readonly maxEjectionTime?: Duration
}

const envoyOutlierDefaults: Required<EnvoyOutlierOptions> = {
  consecutive5xx: 5,
  baseEjectionTime: 30_000,
  maxEjectionTime: 300_000,
}

/**
 * Envoy's outlier detection of one host: failures in a row open, for longer each time. Envoy puts an ejected host back
 * into full service at its next sweep; here one probe goes first, and a success forgets the ejections before.
 *
 * @throws InvalidOptionError naming the option.
 */
export function envoyOutlier(options: EnvoyOutlierOptions = {}): CircuitSettings {
  checkNames('envoyOutlier', options, Object.keys(envoyOutlierDefaults))
  const given = { ...envoyOutlierDefaults, ...options }
  const base = checkDuration('baseEjectionTime', given.baseEjectionTime)
  const max = Math.max(base, checkDuration('maxEjectionTime', given.maxEjectionTime))
  return {
    ...baseSettings,
    window: undefined,
    consecutive: checkInteger('consecutive5xx', given.consecutive5xx, 1, countMax),
    openFor: (attempt) => Math.min(base * attempt, max),
    probeTimeout: base,
  }
}
