import { chmodSync, mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { eventually, startChild } from '../../src/faults/index.ts'
import { redis, type Service, skipWithout, valkey } from '../../src/services/index.ts'
import { findProgram } from '../../src/services/program.ts'
import { isAlive, serverFolders } from './living.ts'

async function connected<T>(service: Service, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(service.url, { maxRetriesPerRequest: 0, retryStrategy: () => null })
  client.on('error', () => {})
  try {
    return await use(client)
  } finally {
    client.disconnect()
  }
}

describe.skipIf(skipWithout('redis'))('redis()', () => {
  beforeEach(() => {
    vi.stubEnv('LOADBEARING_REDIS_URL', undefined)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  test('starting is idempotent, and stopping leaves no process and no folder', async () => {
    const before = serverFolders('redis')
    const [one, two] = await Promise.all([redis(), redis()])
    const { pid } = one
    expect(two.pid).toBe(pid)
    await one.stop()
    expect(await connected(two, (client) => client.ping())).toBe('PONG')
    const during = serverFolders('redis').difference(before)
    await two.stop()
    expect(isAlive(pid)).toBe(false)
    expect(serverFolders('redis').intersection(during).size).toBeLessThan(during.size)
  })

  test('every write that was answered survives kill -9; a reset forgets all', async () => {
    await using service = await redis({ name: 'crash' })
    // No kill of a process shows that, only a loss of power would.
    const fsync = await connected(service, (client) => client.config('GET', 'appendfsync'))
    expect(fsync).toEqual(['appendfsync', 'always'])
    let answered = 0
    const writer = connected(service, async (client) => {
      for (;;) {
        await client.incr('count')
        answered++
      }
    })
    const outcome = writer.catch(() => 'its connection was lost')
    await eventually(() => answered >= 100)
    await service.kill()
    expect(await outcome).toBe('its connection was lost')
    await service.restart()
    const count = Number(await connected(service, (client) => client.get('count')))
    expect(count).toBeGreaterThanOrEqual(answered)
    expect(count).toBeLessThanOrEqual(answered + 1)
    await service.reset()
    expect(await connected(service, (client) => client.dbsize())).toBe(0)
  })

  test('a paused server answers nothing and goes on when resumed', async () => {
    await using service = await redis({ name: 'pause' })
    await using clock = await redis({ name: 'clock' })
    await connected(service, async (client) => {
      await client.ping()
      await service.pause()
      let answered = false
      const ping = client.ping().finally(() => {
        answered = true
      })
      await connected(clock, async (other) => {
        for (let i = 0; i < 100; i++) await other.ping()
      })
      expect(answered).toBe(false)
      await service.resume()
      expect(await ping).toBe('PONG')
    })
  })

  test('a port that another server has taken is told, and that server is not taken for ours', async () => {
    await using service = await redis({ name: 'clash' })
    await using other = await redis({ name: 'clash-other' })
    const port = new URL(service.url).port
    await service.kill()
    await connected(other, (client) => client.config('SET', 'port', port))
    await expect(service.restart()).rejects.toMatchObject({
      code: 'SERVICE_FAILED',
      message: expect.stringContaining(`port ${port} is taken`),
    })
    await other.kill()
    await service.restart()
    expect(await connected(service, (client) => client.ping())).toBe('PONG')
  })

  test('valkey-server is taken where there is no redis-server, and valkey() has one of its own', async () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'loadbearing-program-'))
    const program = join(folder.path, 'valkey-server')
    writeFileSync(
      program,
      `#!/bin/sh\nexec ${findProgram('redis-server') ?? findProgram('valkey-server')} "$@"\n`,
    )
    chmodSync(program, 0o755)
    vi.stubEnv('PATH', folder.path)
    vi.stubEnv('LOADBEARING_VALKEY_URL', undefined)
    expect([skipWithout('redis'), skipWithout('valkey')]).toEqual([false, false])
    await using one = await redis({ name: 'either' })
    await using other = await valkey({ name: 'either' })
    expect([one.kind, other.kind]).toEqual(['redis', 'valkey'])
    expect(other.pid).not.toBe(one.pid)
    for (const service of [one, other]) {
      expect(await connected(service, (client) => client.ping())).toBe('PONG')
    }
  })

  test('restarts asked for at the same time happen one after the other', async () => {
    await using service = await redis({ name: 'restarts' })
    const restarts = [service.restart(), service.restart(), service.kill(), service.restart()]
    await Promise.all(restarts)
    const { pid } = service
    expect(isAlive(pid)).toBe(true)
    await service.stop()
    expect(isAlive(pid)).toBe(false)
  })

  test('an address from the environment is used, and is not ours to kill', async () => {
    await using server = await redis({ name: 'given' })
    vi.stubEnv('LOADBEARING_REDIS_URL', server.url)
    await using given = await redis()
    expect([given.url, given.owned, given.pid]).toEqual([server.url, false, undefined])
    expect(await connected(given, (client) => client.ping())).toBe('PONG')
    for (const verb of ['kill', 'pause', 'resume', 'restart', 'reset'] as const) {
      await expect(given[verb]()).rejects.toMatchObject({ code: 'SERVICE_NOT_OWNED' })
    }
    await given.stop()
    expect(isAlive(server.pid)).toBe(true)
  })

  test('an address where no Redis answers is an error that names the variable and hides the password', async () => {
    await using server = await redis({ name: 'gone' })
    const { port } = new URL(server.url)
    await server.kill()
    vi.stubEnv('LOADBEARING_REDIS_URL', `redis://:secret@127.0.0.1:${port}`)
    const error: unknown = await redis().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'SERVICE_UNREACHABLE' })
    expect(String(error)).toContain(`LOADBEARING_REDIS_URL: no redis answers at 127.0.0.1:${port}`)
    expect(String(error)).not.toContain('secret')
  })

  test.each(['nonsense', 'http://127.0.0.1:6379', '__proto__://h', 'redis://'])(
    'a malformed address is refused: %j',
    async (url) => {
      vi.stubEnv('LOADBEARING_REDIS_URL', url)
      await expect(redis()).rejects.toMatchObject({
        code: 'BAD_OPTION',
        message: expect.stringContaining('LOADBEARING_REDIS_URL must be'),
      })
    },
  )

  test.each(['', 'a b', '../x', 'n'.repeat(33)])('a bad name is refused: %j', async (name) => {
    await expect(redis({ name })).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })

  test('a server that was killed leaves no data behind a process that ends', async () => {
    const before = serverFolders('redis')
    await using child = await startChild(new URL('children/start.ts', import.meta.url), { args: ['redis'] })
    await child.line('started')
    const folders = serverFolders('redis').difference(before)
    await child.send('kill')
    await child.line('done')
    expect(serverFolders('redis').intersection(folders).size, 'kept for a restart').toBeGreaterThan(0)
    process.kill(child.pid, 'SIGKILL')
    await eventually(() => serverFolders('redis').intersection(folders).size < folders.size)
  })

  test.each(['terminate', 'kill'] as const)(
    'a process that stops nothing and gets a %s leaves neither server nor data',
    async (verb) => {
      const before = serverFolders('redis')
      await using child = await startChild(new URL('children/start.ts', import.meta.url), { args: ['redis'] })
      const pid = Number(/"pid":(\d+)/.exec(await child.line('started'))?.[1])
      expect(isAlive(pid)).toBe(true)
      const folders = serverFolders('redis').difference(before)
      await child[verb]()
      await eventually(() => !isAlive(pid))
      await eventually(() => serverFolders('redis').intersection(folders).size < folders.size)
    },
  )
})
