import type { OutlierOptions } from '../pool/outlier.ts'
import type { ProtoMessage } from './proto-json.ts'

/** Our names of the fields of `envoy.config.cluster.v3.OutlierDetection`, by kind. */
const counts = {
  consecutive5xx: 'consecutive_5xx',
  consecutiveGatewayFailure: 'consecutive_gateway_failure',
  consecutiveLocalOriginFailure: 'consecutive_local_origin_failure',
  successRateMinimumHosts: 'success_rate_minimum_hosts',
  successRateRequestVolume: 'success_rate_request_volume',
  successRateStdevFactor: 'success_rate_stdev_factor',
  failurePercentageMinimumHosts: 'failure_percentage_minimum_hosts',
  failurePercentageRequestVolume: 'failure_percentage_request_volume',
} as const

const percents = {
  maxEjectionPercent: 'max_ejection_percent',
  enforcingConsecutive5xx: 'enforcing_consecutive_5xx',
  enforcingConsecutiveGatewayFailure: 'enforcing_consecutive_gateway_failure',
  enforcingConsecutiveLocalOriginFailure: 'enforcing_consecutive_local_origin_failure',
  enforcingSuccessRate: 'enforcing_success_rate',
  enforcingLocalOriginSuccessRate: 'enforcing_local_origin_success_rate',
  failurePercentageThreshold: 'failure_percentage_threshold',
  enforcingFailurePercentage: 'enforcing_failure_percentage',
  enforcingFailurePercentageLocalOrigin: 'enforcing_failure_percentage_local_origin',
} as const

const durations = {
  interval: 'interval',
  baseEjectionTime: 'base_ejection_time',
  maxEjectionTime: 'max_ejection_time',
  maxEjectionTimeJitter: 'max_ejection_time_jitter',
} as const

const flags = {
  splitExternalLocalOriginErrors: 'split_external_local_origin_errors',
  successfulActiveHealthCheckUnejectHost: 'successful_active_health_check_uneject_host',
  alwaysEjectOneHost: 'always_eject_one_host',
} as const

/** `outlier_detection` as the option `outlier` of a pool. */
export function outlierOptions(detection: ProtoMessage): OutlierOptions {
  return {
    // Envoy's default; a pool's own is to be able to eject one of few.
    alwaysEjectOneHost: false,
    ...read(counts, (field) => detection.integer(field, 0, 0xffffffff)),
    ...read(percents, (field) => detection.integer(field, 0, 100)),
    ...read(durations, (field) => detection.duration(field)),
    ...read(flags, (field) => detection.boolean(field)),
  }
}

/** The way back. `duration` writes milliseconds or a string as Envoy wants it. */
export function outlierDetection(
  options: OutlierOptions,
  duration: (name: string, value: number | string) => string,
): Record<string, unknown> {
  const fields = { ...counts, ...percents, ...durations, ...flags }
  const written: Record<string, unknown> = { always_eject_one_host: true }
  for (const [name, value] of Object.entries(options)) {
    const field = fields[name as keyof typeof fields]
    if (value === undefined) continue
    written[field] = name in durations ? duration(`outlier.${name}`, value as number | string) : value
  }
  return written
}

function read<Name extends string, Value>(
  fields: Readonly<Record<Name, string>>,
  one: (field: string) => Value | undefined,
): { [Each in Name]?: Value } {
  const found: { [Each in Name]?: Value } = {}
  for (const [name, field] of Object.entries(fields) as [Name, string][]) {
    const value = one(field)
    if (value !== undefined) found[name] = value
  }
  return found
}
