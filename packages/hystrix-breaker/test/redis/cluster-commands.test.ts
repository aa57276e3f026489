import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, startChild } from '@loadbearing/harness/faults'
import { skipWithout } from '@loadbearing/harness/services'
import { type Breaker, Registry } from '@loadbearing/hystrix-breaker'
import { type GuardableClient, guardRedis } from '@loadbearing/hystrix-breaker/redis-commands'
import { Cluster } from 'ioredis'
import { createCluster } from 'redis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ioredis5 } from './older-clients.ts'

const program = spawnSync('redis-server', ['--version']).status === 0
if (!program) console.error('skipping the commands of a Redis Cluster: no redis-server on PATH')

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

/** The same client of a cluster in both libraries. */
interface Client {
  readonly client: GuardableClient
  connect(): Promise<unknown>
  set(key: string, value: string): Promise<unknown>
  get(key: string): Promise<unknown>
  multi(key: string): Promise<unknown>
  pipeline(key: string): Promise<unknown>
  end(): void
}

function ioredis(ports: number[], enableAutoPipelining: boolean, Client = Cluster): Client {
  const nodes = ports.map((port) => ({ host: '127.0.0.1', port }))
  const client = new Client(nodes, {
    lazyConnect: true,
    enableAutoPipelining,
    enableOfflineQueue: false,
    clusterRetryStrategy: () => null,
    redisOptions: { maxRetriesPerRequest: 0 },
    retryDelayOnFailover: 1,
  })
  client.on('error', () => {})
  return {
    client,
    connect: () => client.connect(),
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    multi: (key) => client.multi().set(key, 'm').get(key).exec(),
    pipeline: (key) => client.pipeline().set(key, 'p').get(key).exec(),
    end: () => client.disconnect(),
  }
}

function nodeRedis(ports: number[]): Client {
  const client = createCluster({
    rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })),
    defaults: { disableOfflineQueue: true, socket: { reconnectStrategy: 5 } },
  })
  client.on('error', () => {})
  return {
    client,
    connect: () => client.connect(),
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    multi: (key) => client.multi().set(key, 'm').get(key).exec(),
    pipeline: (key) => client.multi().set(key, 'p').get(key).execAsPipeline(),
    end: () => client.destroy(),
  }
}

describe.skipIf(skipWithout('redis') || !program)('commands of a Redis Cluster of two nodes', () => {
  let folder: string
  let child: Child
  let ports: number[]

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'breaker-cluster-'))
    child = await startChild(new URL('./children/cluster.ts', import.meta.url), { args: [folder] })
    const line = await child.line('cluster at')
    ports = line.split(' ').slice(2).map(Number)
  })
  afterEach(async () => {
    await child?.kill()
    await rm(folder, { recursive: true, force: true })
  })

  test.each([
    ['ioredis', (own: number[]) => ioredis(own, false)],
    ['ioredis that makes pipelines', (own: number[]) => ioredis(own, true)],
    ['node-redis', nodeRedis],
    ['ioredis 5', (own: number[]) => ioredis(own, false, ioredis5.Cluster)],
    ['ioredis 5 that makes pipelines', (own: number[]) => ioredis(own, true, ioredis5.Cluster)],
  ])('of %s: one breaker for all nodes', async (name, make) => {
    const registry = new Registry()
    const it = make(ports)
    guardRedis(it.client, { registry, options: { volumeThreshold: 12, sleepWindow: '1h' } })
    await it.connect()
    const breakerOf = (): Breaker | undefined =>
      registry.get(`redis://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`)
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    for (const key of keys) expect(await it.set(key, key)).toBe('OK')
    expect(await Promise.all(keys.map((key) => it.get(key)))).toEqual(keys)
    expect(JSON.stringify(await it.multi('a'))).toMatch(/"OK".*"m"/)
    expect(JSON.stringify(await it.pipeline('b'))).toMatch(/"OK".*"p"/)
    const { SUCCESS, FAILURE } = breakerOf()?.metrics.total() ?? {}
    // Those of one turn go as one pipeline to each node.
    expect([SUCCESS, FAILURE]).toEqual(name.endsWith('pipelines') ? [12, 0] : [18, 0])
    breakerOf()?.force('forced-open')
    const refused = [it.get('a'), it.set('b', 'x'), it.multi('c'), it.pipeline('d')].map(codeOf)
    expect(await Promise.all(refused)).toEqual(Array(4).fill('CIRCUIT_OPEN'))
    breakerOf()?.reset()
    expect(await it.get('b')).toBe('p')
    await child.kill()
    const failures: unknown[] = []
    while (breakerOf()?.state === 'closed' && failures.length < 100) failures.push(await codeOf(it.get('a')))
    expect(failures).not.toContain(undefined)
    expect(breakerOf()?.state).toBe('open')
    expect(await codeOf(it.get('b'))).toBe('CIRCUIT_OPEN')
    expect([...registry]).toHaveLength(1)
    it.end()
  })
})
