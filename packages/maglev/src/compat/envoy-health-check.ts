import { MaglevError } from '../errors.ts'
import type { ProtoMessage } from './proto-json.ts'

/** An `envoy.config.core.v3.HealthCheck` in the terms of a pool's `active`. */
export interface EnvoyHealthCheck {
  readonly type: 'http' | 'tcp'
  readonly interval: string
  readonly timeout: string
  readonly jitter: string | number
  readonly healthyThreshold: number
  readonly unhealthyThreshold: number
  readonly path?: string
  readonly host?: string
  readonly statuses?: readonly number[]
}

/** Checks by HTTP and those that only connect; undefined for every other kind, whose fields then count as ignored. */
export function activeChecks(check: ProtoMessage | undefined): EnvoyHealthCheck | undefined {
  const http = check?.has('http_health_check')
  const tcp = check?.has('tcp_health_check')
  if (check === undefined || (!http && !tcp)) return undefined
  const timing = {
    interval: required(check, 'interval'),
    timeout: required(check, 'timeout'),
    jitter: check.duration('interval_jitter') ?? 0,
    healthyThreshold: threshold(check, 'healthy_threshold'),
    unhealthyThreshold: threshold(check, 'unhealthy_threshold'),
  }
  if (tcp) {
    check.message('tcp_health_check')
    return { type: 'tcp', ...timing }
  }
  const request = check.message('http_health_check')
  const path = request?.string('path')
  const host = request?.string('host')
  return {
    type: 'http',
    ...timing,
    ...(path !== undefined && { path }),
    ...(host !== undefined && { host }),
    statuses: statusesOf(request?.messages('expected_statuses') ?? []),
  }
}

/** Envoy wants 200 where nothing else is said; ranges exclude their end. */
function statusesOf(ranges: readonly ProtoMessage[]): readonly number[] {
  if (ranges.length === 0) return [200]
  return ranges.flatMap((range) => {
    const start = range.integer('start', 100, 599) ?? 100
    const end = range.integer('end', start + 1, 600) ?? start + 1
    return Array.from({ length: end - start }, (_, index) => start + index)
  })
}

function required(check: ProtoMessage, name: string): string {
  const value = check.duration(name)
  if (value === undefined) throw missing(check, name)
  return value
}

function threshold(check: ProtoMessage, name: string): number {
  const value = check.integer(name, 1, 0xffffffff)
  if (value === undefined) throw missing(check, name)
  return value
}

function missing({ path }: ProtoMessage, name: string): MaglevError {
  return new MaglevError('INVALID_CLUSTER', `${path}.${name} is missing: Envoy requires it`)
}
