import { once } from 'node:events'
import { Agent, createServer, request, type Server, type ServerResponse } from 'node:http'
import type { HashPolicy, SocketAddress } from '@loadbearing/maglev'
import type { PriorityLevel } from '../../src/pool/panic.ts'
import { xxh64 } from '../model/hash.ts'
import { launchEnvoy, portOf } from './envoy.ts'

/** Levels of a cluster, most preferred first. */
export interface PriorityCase {
  readonly levels: readonly Required<PriorityLevel>[]
  /** Whole percents. */
  readonly panicThreshold: number
  readonly overProvisioning: number
}

/** Percent of keys that each level answers, and of those the ones of levels in panic. */
export interface PriorityAnswer {
  readonly load: readonly number[]
  readonly panicked: number
}

export interface PolicyRequest {
  readonly headers: Readonly<Record<string, string | string[]>>
  /** `/` and what follows it. */
  readonly query: string
}

/** A route with hash policies, and what is asked of it. */
export interface PolicyCase {
  readonly policies: readonly HashPolicy[]
  readonly requests: readonly PolicyRequest[]
}

export interface PolicyAnswer {
  readonly host: number
  readonly cookies: readonly string[]
  /** The connection, as its client sees it. */
  readonly remote: SocketAddress
  readonly local: SocketAddress
}

/** Hosts that hold on to every request while the next one comes. */
export interface BoundedCase {
  readonly weights: readonly number[]
  /** `hash_balance_factor`, in percent. */
  readonly percent: number
  readonly keys: readonly string[]
}

/** Calls by key, and the status that whichever host they come to answers with. */
export interface OutlierCase {
  readonly hosts: number
  /** Fields of `outlier_detection`. */
  readonly detection: Readonly<Record<string, number | boolean>>
  readonly calls: readonly { readonly key: string; readonly status: number }[]
}

export interface OutlierStep {
  /** Undefined where Envoy had no host left. */
  readonly host: number | undefined
  readonly status: number
  /** Hosts that are ejected after the call. */
  readonly ejected: readonly number[]
}

export const policyHosts = 24
export const policyTableSize = 1021
export const boundedTableSize = 251

/** How many percent of the keys each level of each case gets from a running Envoy. */
export async function prioritiesOfEnvoy(
  path: string,
  cases: readonly PriorityCase[],
): Promise<PriorityAnswer[]> {
  await using servers = await listen(Math.max(...cases.map(({ levels }) => levels.length)))
  await using envoy = await launchEnvoy(
    path,
    bootstrap(
      cases.map((each, index) => ({
        name: `case-${index}`,
        hashPolicy: [{ header: { header_name: 'x-key' } }],
        cluster: {
          common_lb_config: { healthy_panic_threshold: { value: each.panicThreshold } },
          maglev_lb_config: { table_size: 61 },
        },
        endpoints: each.levels.map((level, priority) => ({
          priority,
          lb_endpoints: Array.from({ length: level.total }, (_, at) => ({
            ...endpoint(servers.ports[priority] ?? 0, `${priority}-${at}`),
            health_status:
              at < level.healthy ? 'HEALTHY' : at < level.healthy + level.degraded ? 'DEGRADED' : 'UNHEALTHY',
          })),
        })),
        policy: { overprovisioning_factor: each.overProvisioning },
      })),
    ),
  )
  const keys = keyForEachPercent()
  await using stack = new AsyncDisposableStack()
  const agent = stack.adopt(new Agent({ keepAlive: true }), (each) => each.destroy())
  const answers: PriorityAnswer[] = []
  for (const [index, { levels }] of cases.entries()) {
    const load = levels.map(() => 0)
    for (const key of keys) {
      const { body } = await ask(envoy.port, `/${index}/`, { 'x-key': key }, agent)
      const level = Number(body)
      if (/^\d+$/.test(body)) load[level] = (load[level] ?? 0) + 1
    }
    answers.push({ load, panicked: await counter(envoy.admin, `cluster.case-${index}.lb_healthy_panic`) })
  }
  return answers
}

/** Which host each request comes to, and what cookies it is given. */
export async function policiesOfEnvoy(path: string, cases: readonly PolicyCase[]): Promise<PolicyAnswer[][]> {
  await using servers = await listen(policyHosts)
  await using envoy = await launchEnvoy(
    path,
    bootstrap(
      cases.map(({ policies }, index) => ({
        name: `case-${index}`,
        hashPolicy: policies.map(envoyPolicy),
        cluster: { maglev_lb_config: { table_size: policyTableSize } },
        endpoints: [{ lb_endpoints: servers.ports.map((port, host) => endpoint(port, `host-${host}`)) }],
      })),
    ),
  )
  const answers: PolicyAnswer[][] = []
  for (const [index, { requests }] of cases.entries()) {
    const found: PolicyAnswer[] = []
    for (const { headers, query } of requests) {
      const { body, cookies, remote, local } = await ask(envoy.port, `/${index}/${query}`, headers)
      found.push({ host: Number(body), cookies, remote, local })
    }
    answers.push(found)
  }
  return answers
}

/** Which host each key comes to while all requests before it are still open. */
export async function boundedOfEnvoy(path: string, cases: readonly BoundedCase[]): Promise<number[][]> {
  const count = Math.max(...cases.map(({ weights }) => weights.length))
  const held: ServerResponse[] = []
  const visits: ((host: number) => void)[] = []
  await using servers = await listen(count, (response, host) => {
    held.push(response)
    visits.shift()?.(host)
  })
  await using envoy = await launchEnvoy(
    path,
    bootstrap(
      cases.map(({ weights, percent }, index) => ({
        name: `case-${index}`,
        hashPolicy: [{ header: { header_name: 'x-key' } }],
        cluster: {
          maglev_lb_config: { table_size: boundedTableSize },
          common_lb_config: { consistent_hashing_lb_config: { hash_balance_factor: percent } },
          circuit_breakers: {
            thresholds: [{ max_connections: 10_000, max_requests: 10_000, max_pending_requests: 10_000 }],
          },
        },
        endpoints: [
          {
            lb_endpoints: weights.map((weight, host) => ({
              ...endpoint(servers.ports[host] ?? 0, `host-${host}`),
              load_balancing_weight: weight,
            })),
          },
        ],
      })),
    ),
  )
  const answers: number[][] = []
  for (const [index, { keys }] of cases.entries()) {
    const found: number[] = []
    const done: Promise<unknown>[] = []
    for (const key of keys) {
      const { promise, resolve } = Promise.withResolvers<number>()
      visits.push(resolve)
      done.push(ask(envoy.port, `/${index}/`, { 'x-key': key }))
      found.push(await promise)
    }
    for (const response of held.splice(0)) response.end()
    await Promise.all(done)
    answers.push(found)
  }
  return answers
}

/** What a host answers, and who is ejected after each answer. */
export async function ejectionsOfEnvoy(
  path: string,
  cases: readonly OutlierCase[],
): Promise<OutlierStep[][]> {
  await using servers = await listen(Math.max(...cases.map(({ hosts }) => hosts)))
  await using envoy = await launchEnvoy(
    path,
    bootstrap(
      cases.map(({ hosts, detection }, index) => ({
        name: `case-${index}`,
        hashPolicy: [{ header: { header_name: 'x-key' } }],
        cluster: {
          maglev_lb_config: { table_size: 61 },
          common_lb_config: { healthy_panic_threshold: { value: 0 } },
          // So long that neither an interval nor an ejection ends while the case runs.
          outlier_detection: {
            ...detection,
            interval: '10000s',
            base_ejection_time: '10000s',
            max_ejection_time: '10000s',
          },
        },
        endpoints: [
          { lb_endpoints: servers.ports.slice(0, hosts).map((port, host) => endpoint(port, `host-${host}`)) },
        ],
      })),
    ),
  )
  await using stack = new AsyncDisposableStack()
  const agent = stack.adopt(new Agent({ keepAlive: true }), (each) => each.destroy())
  const answers: OutlierStep[][] = []
  for (const [index, { calls }] of cases.entries()) {
    const steps: OutlierStep[] = []
    for (const { key, status } of calls) {
      const { body } = await ask(
        envoy.port,
        `/${index}/`,
        { 'x-key': key, 'x-status': String(status) },
        agent,
      )
      const host = /^\d+$/.test(body) ? Number(body) : undefined
      steps.push({ host, status, ejected: await ejectedHosts(envoy.admin, `case-${index}`, servers.ports) })
    }
    answers.push(steps)
  }
  return answers
}

async function ejectedHosts(admin: string, cluster: string, ports: readonly number[]): Promise<number[]> {
  const text = await (await fetch(`http://${admin}/clusters`)).text()
  const flagged = text.matchAll(/^(case-\d+)::127\.0\.0\.1:(\d+)::health_flags::.*failed_outlier_check/gm)
  const hosts = [...flagged].flatMap(([, name, port]) =>
    name === cluster ? [ports.indexOf(Number(port))] : [],
  )
  return hosts.toSorted((a, b) => a - b)
}

/** A short string for each residue of its hash modulo 100. */
function keyForEachPercent(): string[] {
  const keys: string[] = []
  const utf8 = new TextEncoder()
  for (let n = 0, found = 0; found < 100; n++) {
    const residue = Number(xxh64(utf8.encode(`key-${n}`), 0n) % 100n)
    if (keys[residue] !== undefined) continue
    keys[residue] = `key-${n}`
    found++
  }
  return keys
}

function envoyPolicy(policy: HashPolicy): object {
  const terminal = policy.terminal ?? false
  if ('header' in policy) return { terminal, header: { header_name: policy.header } }
  if ('queryParameter' in policy) return { terminal, query_parameter: { name: policy.queryParameter } }
  if ('sourceAddress' in policy) return { terminal, connection_properties: { source_ip: true } }
  if ('filterState' in policy) throw new Error('filter state is set by filters, of which there are none here')
  const { cookie, ttl, path, attributes } = policy
  return {
    terminal,
    cookie: {
      name: cookie,
      ...(typeof ttl === 'number' && { ttl: `${ttl / 1000}s` }),
      ...(path !== undefined && { path }),
      ...(attributes && { attributes: Object.entries(attributes).map(([name, value]) => ({ name, value })) }),
    },
  }
}

interface ClusterCase {
  readonly name: string
  readonly hashPolicy: readonly object[]
  readonly cluster: object
  readonly endpoints: readonly object[]
  readonly policy?: object
}

function bootstrap(clusters: readonly ClusterCase[]): object {
  const router = { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' }
  const manager = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'differential',
    normalize_path: false,
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: clusters.map(({ name, hashPolicy }, index) => ({
            match: { prefix: `/${index}/` },
            route: { cluster: name, hash_policy: hashPolicy, timeout: '0s' },
          })),
        },
      ],
    },
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: router }],
  }
  return {
    admin: loopback(0),
    static_resources: {
      listeners: [
        { ...loopback(0), filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }] },
      ],
      clusters: clusters.map(({ name, cluster, endpoints, policy }) => ({
        name,
        type: 'STATIC',
        lb_policy: 'MAGLEV',
        ...cluster,
        load_assignment: { cluster_name: name, endpoints, ...(policy && { policy }) },
      })),
    },
  }
}

function endpoint(port: number, hashKey: string): object {
  return {
    endpoint: loopback(port),
    metadata: { filter_metadata: { 'envoy.lb': { hash_key: hashKey } } },
  }
}

function loopback(port: number): object {
  return { address: { socket_address: { address: '127.0.0.1', port_value: port } } }
}

interface Listening extends AsyncDisposable {
  readonly ports: readonly number[]
}

/** Servers on loopback that answer with their number and the status of the header `x-status`, or as `respond` does. */
async function listen(
  count: number,
  respond: (response: ServerResponse, host: number) => void = (response, host) => response.end(String(host)),
): Promise<Listening> {
  const servers: Server[] = []
  for (let host = 0; host < count; host++) {
    const server = createServer((incoming, response) => {
      response.statusCode = Number(incoming.headers['x-status'] ?? 200)
      respond(response, host)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.push(server)
  }
  return {
    ports: servers.map(portOf),
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
        await once(server, 'close')
      }
    },
  }
}

interface Asked {
  readonly body: string
  readonly cookies: readonly string[]
  readonly remote: SocketAddress
  readonly local: SocketAddress
}

/** One request, without an `agent` on a connection of its own. */
function ask(
  port: number,
  path: string,
  headers: Readonly<Record<string, string | string[]>>,
  agent: Agent | false = false,
): Promise<Asked> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers, agent }, (response) => {
      const { localAddress, localPort, remoteAddress, remotePort } = response.socket
      let body = ''
      response
        .setEncoding('utf8')
        .on('data', (text: string) => (body += text))
        .on('end', () =>
          resolve({
            body,
            cookies: response.headers['set-cookie'] ?? [],
            remote: { address: localAddress ?? '', port: localPort ?? 0 },
            local: { address: remoteAddress ?? '', port: remotePort ?? 0 },
          }),
        )
        .on('error', reject)
    })
      .on('error', reject)
      .end()
  })
}

async function counter(admin: string, name: string): Promise<number> {
  const text = await (await fetch(`http://${admin}/stats?filter=^${name}$`)).text()
  return Number(/: (\d+)/.exec(text)?.[1] ?? 0)
}
