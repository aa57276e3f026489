import type { Backend, Health } from '../backend.ts'
import { MaglevError, shown } from '../errors.ts'
import type { MaglevOptions } from '../options.ts'
import type { OutlierOptions } from '../pool/outlier.ts'
import { hostPort } from './envoy-address.ts'
import { activeChecks, type EnvoyHealthCheck } from './envoy-health-check.ts'
import { zoneName } from './envoy-locality.ts'
import { outlierOptions } from './envoy-outlier.ts'
import { ProtoMessage } from './proto-json.ts'

/** What a backend has in Envoy that has no place of its own here. */
export interface EnvoyHost {
  /** `endpoint.hostname`. */
  readonly hostname?: string
}

/** The options of a pool that a cluster speaks of. */
export interface EnvoyPoolOptions {
  /** `common_lb_config.healthy_panic_threshold`, as a fraction. */
  readonly panicThreshold: number
  /** `load_assignment.policy.overprovisioning_factor`, as a factor. */
  readonly overProvisioning: number
  /** `hash_balance_factor`, as a factor. */
  readonly boundedLoad?: number
  /** The first of `health_checks`, where it asks by HTTP or TCP. */
  readonly active?: EnvoyHealthCheck
  /** `outlier_detection`. */
  readonly outlier?: OutlierOptions
}

/**
 * An Envoy cluster with a Maglev table, for `new Maglev(cluster.backends, cluster.options)` and
 * `createPool(maglev, cluster.pool)`. Envoy builds a table for each priority, and so does a pool; a Maglev alone has one.
 */
export interface EnvoyCluster {
  readonly name: string
  /** `id` is what Envoy hashes: metadata `envoy.lb/hash_key`, the hostname, or `ip:port`. */
  readonly backends: readonly Backend<EnvoyHost>[]
  readonly options: Pick<MaglevOptions, 'tableSize' | 'zones'> & { readonly mode: 'envoy' }
  readonly pool: EnvoyPoolOptions
  /** Paths of the fields that were given and mean nothing here: TLS, timeouts, other checks, … Read them before you trust the rest. */
  readonly ignored: readonly string[]
}

const lbPolicies = [
  'ROUND_ROBIN',
  'LEAST_REQUEST',
  'RING_HASH',
  'RANDOM',
  'ORIGINAL_DST_LB',
  'MAGLEV',
  'CLUSTER_PROVIDED',
  'LOAD_BALANCING_POLICY_CONFIG',
] as const

const healthStatuses = ['UNKNOWN', 'HEALTHY', 'UNHEALTHY', 'DRAINING', 'TIMEOUT', 'DEGRADED'] as const

/** Envoy's tables hold healthy hosts alone: a degraded one owns no slot there. */
const healths: Readonly<Record<(typeof healthStatuses)[number], Health>> = {
  UNKNOWN: 'healthy',
  HEALTHY: 'healthy',
  DEGRADED: 'unhealthy',
  UNHEALTHY: 'unhealthy',
  TIMEOUT: 'unhealthy',
  DRAINING: 'draining',
}

const maglevType = 'type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev'
const uint32Max = 0xffffffff

/**
 * Reads the JSON of an `envoy.config.cluster.v3.Cluster`, field names in snake_case or camelCase, with `lb_policy: MAGLEV` or a
 * `load_balancing_policy` whose first choice is Maglev. The table is Envoy's, slot for slot.
 *
 * @throws MaglevError `INVALID_CLUSTER` names the field that is no part of such a message; `UNSUPPORTED_CLUSTER` the one for which
 * Envoy would choose hosts in another way than this package; `DUPLICATE_BACKEND` two hosts that hash alike.
 */
export function fromEnvoyCluster(json: unknown): EnvoyCluster {
  const cluster = new ProtoMessage(json, '')
  const name = cluster.string('name') ?? ''
  if (cluster.has('lb_subset_config'))
    throw unsupported('lb_subset_config', 'subsets have tables of their own')
  const policy = maglevPolicy(cluster)
  const assignment = cluster.message('load_assignment')
  if (assignment === undefined) {
    throw unsupported(
      'load_assignment',
      'it is missing, so that the endpoints come from elsewhere: put what EDS says there',
    )
  }
  assignment.string('cluster_name')
  const { backends, zones } = readEndpoints(assignment, policy)
  const panic = cluster
    .message('common_lb_config')
    ?.message('healthy_panic_threshold')
    ?.number('value', 0, 100)
  const overProvisioning = assignment.message('policy')?.integer('overprovisioning_factor', 1, uint32Max)
  const active = activeChecks(cluster.messages('health_checks')[0])
  const outlier = cluster.message('outlier_detection')
  return {
    name,
    backends,
    options: {
      mode: 'envoy',
      ...(policy.tableSize !== undefined && { tableSize: policy.tableSize }),
      ...(policy.localityWeighted && { zones }),
    },
    pool: {
      panicThreshold: (panic ?? 50) / 100,
      overProvisioning: (overProvisioning ?? 140) / 100,
      ...(policy.balanceFactor && { boundedLoad: policy.balanceFactor / 100 }),
      ...(active && { active }),
      ...(outlier && { outlier: outlierOptions(outlier) }),
    },
    ignored: cluster.ignored(),
  }
}

interface MaglevPolicy {
  readonly tableSize: number | undefined
  readonly useHostname: boolean
  readonly balanceFactor: number | undefined
  readonly localityWeighted: boolean
}

function maglevPolicy(cluster: ProtoMessage): MaglevPolicy {
  const lbPolicy = cluster.enumerator('lb_policy', lbPolicies) ?? 'ROUND_ROBIN'
  const extension = cluster.message('load_balancing_policy')
  // Envoy prefers the extension wherever it is there, and then reads none of the older fields.
  if (extension !== undefined) return typedPolicy(extension)
  if (lbPolicy !== 'MAGLEV') throw unsupported('lb_policy', `it must be MAGLEV, not ${lbPolicy}`)
  const common = cluster.message('common_lb_config')
  if (common?.has('zone_aware_lb_config')) {
    throw unsupported('common_lb_config.zone_aware_lb_config', 'Maglev does not go with zone-aware routing')
  }
  return readPolicy(cluster.message('maglev_lb_config'), common)
}

function typedPolicy(extension: ProtoMessage): MaglevPolicy {
  const [first] = extension.messages('policies')
  const config = first?.message('typed_extension_config')
  config?.string('name')
  const typed = config?.message('typed_config')
  const type = typed?.string('@type')
  if (typed === undefined || type !== maglevType) {
    throw unsupported('load_balancing_policy', `the first policy must be ${maglevType}, not ${shown(type)}`)
  }
  return readPolicy(typed, typed)
}

function readPolicy(maglev: ProtoMessage | undefined, common: ProtoMessage | undefined): MaglevPolicy {
  const hashing = common?.message('consistent_hashing_lb_config')
  const balanceFactor = hashing?.integer('hash_balance_factor', 0, uint32Max)
  if (balanceFactor !== undefined && balanceFactor > 0 && balanceFactor < 100) {
    throw new MaglevError(
      'INVALID_CLUSTER',
      `${hashing?.path}.hash_balance_factor must be 0 (off) or at least 100 percent, not ${balanceFactor}`,
    )
  }
  return {
    tableSize: maglev?.integer('table_size', 2, 5_000_011),
    useHostname: hashing?.boolean('use_hostname_for_hashing') ?? false,
    balanceFactor,
    localityWeighted: common?.message('locality_weighted_lb_config') !== undefined,
  }
}

interface Endpoints {
  readonly backends: readonly Backend<EnvoyHost>[]
  readonly zones: Readonly<Record<string, number>>
}

function readEndpoints(assignment: ProtoMessage, policy: MaglevPolicy): Endpoints {
  const backends = new Map<string, Backend<EnvoyHost>>()
  const zones = new Map<string, number>()
  for (const group of assignment.messages('endpoints')) {
    const priority = group.integer('priority', 0, 127) ?? 0
    const locality = group.message('locality')
    const part = (name: string): string => locality?.string(name) ?? ''
    const zone = zoneName({ region: part('region'), zone: part('zone'), subZone: part('sub_zone') })
    const weight = group.integer('load_balancing_weight', 1, uint32Max) ?? 0
    const known = zones.get(zone)
    if (policy.localityWeighted && known !== undefined && known !== weight) {
      throw unsupported(
        `${group.path}.load_balancing_weight`,
        `locality ${shown(zone)} has the weight ${known} elsewhere`,
      )
    }
    zones.set(zone, weight)
    for (const endpoint of group.messages('lb_endpoints')) {
      const backend = readHost(endpoint, policy)
      if (backends.has(backend.id)) {
        throw new MaglevError(
          'DUPLICATE_BACKEND',
          `${endpoint.path} is hashed as ${shown(backend.id)}, and so is another host: give them hash keys`,
        )
      }
      backends.set(backend.id, {
        ...backend,
        ...(zone !== '' && { zone }),
        ...(priority > 0 && { priority }),
      })
    }
  }
  return { backends: [...backends.values()], zones: Object.fromEntries(zones) }
}

function readHost(host: ProtoMessage, { useHostname }: MaglevPolicy): Backend<EnvoyHost> {
  const endpoint = host.message('endpoint')
  const socket = endpoint?.message('address')?.message('socket_address')
  const address = socket?.string('address')
  const port = socket?.integer('port_value', 0, 65_535)
  if (endpoint === undefined || socket === undefined || address === undefined || port === undefined) {
    throw unsupported(
      host.path,
      'only endpoints with endpoint.address.socket_address and its address and port_value are read',
    )
  }
  const protocol = socket.enumerator('protocol', ['TCP', 'UDP']) ?? 'TCP'
  if (protocol !== 'TCP') throw unsupported(`${socket.path}.protocol`, 'only TCP is')
  const hostname = endpoint.string('hostname')
  const literal = hostPort(address, port)
  const id = hashKey(host) || (useHostname ? (hostname ?? '') : literal)
  if (id === undefined) {
    throw unsupported(
      `${socket.path}.address`,
      `Envoy hashes what ${shown(address)} resolves to: put the IP addresses there, or a hash_key`,
    )
  }
  const status = host.enumerator('health_status', healthStatuses) ?? 'UNKNOWN'
  const weight = host.integer('load_balancing_weight', 1, uint32Max)
  const reached = literal ?? `${address}:${port}`
  return {
    id,
    ...(reached !== id && { address: reached }),
    ...(weight !== undefined && { weight }),
    ...(healths[status] !== 'healthy' && { health: healths[status] }),
    ...(hostname !== undefined && { data: { hostname } }),
  }
}

/** Anything but a string that is not empty is as none to Envoy. */
function hashKey(host: ProtoMessage): string {
  const key = host.message('metadata')?.message('filter_metadata')?.message('envoy.lb')?.value('hash_key')
  return typeof key === 'string' ? key : ''
}

function unsupported(path: string, reason: string): MaglevError {
  return new MaglevError('UNSUPPORTED_CLUSTER', `${path}: ${reason}`)
}
