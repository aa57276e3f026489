import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, eventually, startChild } from '@loadbearing/harness/faults'
import { skipWithout } from '@loadbearing/harness/services'
import { Breaker } from '@loadbearing/hystrix-breaker'
import { redisShared } from '@loadbearing/hystrix-breaker/redis'
import { Cluster } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const program = spawnSync('redis-server', ['--version']).status === 0
if (!program) console.error('skipping the test on Redis Cluster: no redis-server on PATH')

describe.skipIf(skipWithout('redis') || !program)('a Redis Cluster of two nodes', () => {
  let folder: string
  let child: Child
  let ports: number[]

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'breaker-cluster-'))
    child = await startChild(new URL('./children/cluster.ts', import.meta.url), { args: [folder] })
    const line = await child.line('cluster at')
    ports = line.split(' ').slice(2).map(Number)
  })
  afterAll(async () => {
    await child?.kill()
    await rm(folder, { recursive: true, force: true })
  })

  test('circuits of both open by quorum, probe once and close', async () => {
    const clusters = [1, 2].map(() => new Cluster(ports.map((port) => ({ host: '127.0.0.1', port }))))
    const fleet = clusters.map((cluster) => redisShared(cluster, { quorum: 2 }))
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'a name with {braces}']
    const events: string[] = []
    const breakers = fleet.flatMap((shared) => {
      shared.on('openedByFleet', ({ name }) => events.push(`${name} opened`))
      shared.on('closedByFleet', ({ name }) => events.push(`${name} closed`))
      return names.map((name) => {
        const breaker = new Breaker({ name, volumeThreshold: 1, sleepWindow: 50 })
        shared.join(breaker)
        return breaker
      })
    })
    let probes = 0
    for (const breaker of breakers)
      breaker.on('stateChange', ({ to }) => {
        if (to === 'half-open') probes++
      })
    const joined = async (): Promise<boolean> => {
      const keys = await Promise.all(
        (clusters[0]?.nodes('master') ?? []).map((node) => node.keys('*:reports')),
      )
      return keys.flat().length === names.length && keys.every(({ length }) => length > 0)
    }
    for (const breaker of breakers) await breaker.execute(() => 'up')
    await eventually(joined)
    const down = async (): Promise<never> => {
      throw new Error('down')
    }
    await Promise.allSettled(breakers.map((breaker) => breaker.execute(down)))
    await eventually(() => events.filter((event) => event.endsWith('opened')).length === 2 * names.length)
    await eventually(async () => {
      await Promise.allSettled(breakers.map((breaker) => breaker.execute(() => 'up')))
      return events.filter((event) => event.endsWith('closed')).length === 2 * names.length
    })
    expect(probes).toBe(names.length)
    await Promise.all(fleet.map((shared) => shared[Symbol.asyncDispose]()))
    for (const cluster of clusters) cluster.disconnect()
  })
})
