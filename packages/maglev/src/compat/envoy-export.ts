import type { Backend, Health } from '../backend.ts'
import { configureBackend } from '../backend.ts'
import { parseDuration } from '../duration.ts'
import { MaglevError, shown } from '../errors.ts'
import { wantList, wantObject } from '../given.ts'
import { parseAddress } from '../pool/address.ts'
import { checkOutlierOptions } from '../pool/outlier-options.ts'
import { checkPoolOptions } from '../pool/pool-options.ts'
import { checkOptions } from '../settings.ts'
import { hostPort } from './envoy-address.ts'
import type { EnvoyHealthCheck } from './envoy-health-check.ts'
import type { EnvoyCluster, EnvoyHost, EnvoyPoolOptions } from './envoy-import.ts'
import { localityOf } from './envoy-locality.ts'
import { outlierDetection } from './envoy-outlier.ts'

/** Backends in these states own slots of our table, so Envoy must count them as healthy. */
const statuses: Readonly<Record<Health, string | undefined>> = {
  healthy: undefined,
  degraded: undefined,
  unhealthy: 'UNHEALTHY',
  ejected: 'UNHEALTHY',
  disabled: 'UNHEALTHY',
  draining: 'DRAINING',
}

const uint32Max = 0xffffffff

/**
 * The JSON of an `envoy.config.cluster.v3.Cluster` of type STATIC whose Maglev tables are those of these backends and options.
 * Where an id is not the address of its backend, the id becomes the host's `envoy.lb/hash_key`. States that Envoy has no word
 * for: `degraded` is written as healthy, `ejected` and `disabled` as UNHEALTHY; in the table they stand for the same.
 *
 * @throws MaglevError `UNSUPPORTED_CLUSTER` for what Envoy cannot express: a weight that is no whole number of 1 to 2^32 - 1, a
 * backend without an IP address, an empty id, probes by a function; `INVALID_CLUSTER`, `INVALID_OPTION` and so on for what is
 * no cluster, as `Maglev` and `createPool` would refuse it.
 */
export function toEnvoyCluster(
  cluster: Pick<EnvoyCluster, 'name' | 'options'> & {
    readonly backends: Iterable<string | Backend<EnvoyHost>>
    readonly pool?: Partial<EnvoyPoolOptions>
  },
): Record<string, unknown> {
  wantObject('A cluster', cluster, 'INVALID_CLUSTER')
  const { name, options, pool = {} } = cluster
  if (typeof name !== 'string')
    throw new MaglevError('INVALID_CLUSTER', `name must be text, not ${shown(name)}`)
  wantObject('options', options, 'INVALID_CLUSTER')
  wantObject('pool', pool, 'INVALID_CLUSTER')
  wantList('backends', cluster.backends, 'INVALID_CLUSTER')
  if (options.mode !== 'envoy') {
    throw unsupported(`options.mode is ${shown(options.mode)}`, 'Envoy builds the tables of mode envoy alone')
  }
  checkOptions(options)
  checkPoolOptions(pool, 'envoy')
  if (pool.outlier !== undefined) checkOutlierOptions(pool.outlier)
  const { active, boundedLoad, outlier, overProvisioning, panicThreshold } = pool
  return {
    name,
    type: 'STATIC',
    lb_policy: 'MAGLEV',
    ...(options.tableSize !== undefined && { maglev_lb_config: { table_size: options.tableSize } }),
    common_lb_config: {
      ...(panicThreshold !== undefined && {
        healthy_panic_threshold: { value: 100 * panicThreshold },
      }),
      ...(options.zones && { locality_weighted_lb_config: {} }),
      ...(boundedLoad !== undefined && {
        consistent_hashing_lb_config: {
          hash_balance_factor: whole('pool.boundedLoad in percent', 100 * boundedLoad, 100),
        },
      }),
    },
    ...(active && { health_checks: [healthCheck(active)] }),
    ...(outlier && { outlier_detection: outlierDetection(outlier, seconds) }),
    load_assignment: {
      cluster_name: name,
      ...(overProvisioning !== undefined && {
        policy: {
          overprovisioning_factor: whole('pool.overProvisioning in percent', 100 * overProvisioning, 1),
        },
      }),
      endpoints: groups(cluster.backends, options.zones),
    },
  }
}

function groups(
  given: Iterable<string | Backend<EnvoyHost>>,
  zones: Readonly<Record<string, number>> | undefined,
): Record<string, unknown>[] {
  const backends = [...given].map((backend) => configureBackend(backend))
  const grouped = Map.groupBy(backends, ({ priority, zone = '' }) => JSON.stringify([priority, zone]))
  return [...grouped.values()].map((members) => {
    const { priority = 0, zone = '' } = members[0] ?? {}
    const { region, zone: name, subZone } = localityOf(zone)
    const weight = zones?.[zone] ?? 0
    return {
      ...(zone !== '' && {
        locality: {
          ...(region && { region }),
          ...(name && { zone: name }),
          ...(subZone && { sub_zone: subZone }),
        },
      }),
      // Envoy knows no weight 0: a locality without one gets nothing.
      ...(weight > 0 && { load_balancing_weight: whole(`weight of zone ${shown(zone)}`, weight, 1) }),
      ...(priority > 0 && { priority }),
      lb_endpoints: members.map(host),
    }
  })
}

function host({ id, address = id, weight, health, data }: Backend<EnvoyHost> & { health: Health }): unknown {
  const reached = parseAddress(address)
  const key = reached && hostPort(reached.host, reached.port)
  if (reached === undefined || key === undefined) {
    throw unsupported(
      `Backend ${shown(id)}`,
      `it needs an address like 10.0.0.1:80 or [2001:db8::1]:80, not ${shown(address)}`,
    )
  }
  if (id === '') throw unsupported('Backend ""', 'an empty hash key means none to Envoy')
  return {
    endpoint: {
      address: { socket_address: { address: reached.host, port_value: reached.port } },
      ...(data?.hostname !== undefined && { hostname: data.hostname }),
    },
    ...(weight !== undefined &&
      weight !== 1 && { load_balancing_weight: whole(`weight of ${shown(id)}`, weight, 1) }),
    ...(statuses[health] && { health_status: statuses[health] }),
    ...(key !== id && { metadata: { filter_metadata: { 'envoy.lb': { hash_key: id } } } }),
  }
}

function healthCheck(active: EnvoyHealthCheck): Record<string, unknown> {
  const {
    type,
    interval,
    timeout,
    jitter,
    healthyThreshold,
    unhealthyThreshold,
    path,
    host: hostHeader,
  } = active
  if (type !== 'http' && type !== 'tcp')
    throw unsupported('pool.active', 'Envoy checks by http or tcp, not by a function')
  return {
    interval: seconds('pool.active.interval', interval),
    timeout: seconds('pool.active.timeout', timeout),
    ...(parseDuration('pool.active.jitter', jitter) > 0 && {
      interval_jitter: seconds('pool.active.jitter', jitter),
    }),
    healthy_threshold: healthyThreshold,
    unhealthy_threshold: unhealthyThreshold,
    ...(type === 'tcp'
      ? { tcp_health_check: {} }
      : {
          http_health_check: {
            path: path ?? '/',
            ...(hostHeader !== undefined && { host: hostHeader }),
            ...(active.statuses && {
              expected_statuses: active.statuses.map((start) => ({ start, end: start + 1 })),
            }),
          },
        }),
  }
}

function seconds(name: string, duration: number | string): string {
  const ms = parseDuration(name, duration)
  return `${Number((ms / 1000).toFixed(9))}s`
}

/** 1.15 times 100 is 114.99999999999999. */
function whole(what: string, value: number, least: number): number {
  const rounded = Math.round(value)
  if (!(Math.abs(value - rounded) <= 1e-6) || rounded < least || rounded > uint32Max) {
    throw unsupported(
      what,
      `Envoy has whole numbers from ${least} to ${uint32Max} there, not ${shown(value)}`,
    )
  }
  return rounded
}

function unsupported(what: string, reason: string): MaglevError {
  return new MaglevError('UNSUPPORTED_CLUSTER', `${what}: ${reason}`)
}
