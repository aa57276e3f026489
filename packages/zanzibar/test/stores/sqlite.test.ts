import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { Statements } from '../../src/adapters/sqlite/statements.ts'
import { sqliteStore } from '../../src/adapters/sqlite.ts'
import type { AuthorizationModel } from '../../src/model/authorization-model.ts'
import { realClock } from '../../src/ports.ts'
import { openFgaApi } from '../../src/wire/openfga-api.ts'
import { rowsAfterSweep } from './rows-after-sweep.ts'
import { storeSuite } from './store-suite.ts'

storeSuite(
  'SQLite',
  async () => {
    let now = 0
    const store = sqliteStore({ path: ':memory:', clock: { ...realClock, now: () => now } })
    return {
      store,
      setTime: (time) => {
        now = time
      },
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  },
  60,
)

it('holds what was written when it is opened again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zanzibar-'))
  try {
    const path = join(folder, 'store')
    const writes = [{ user: 'user:a', relation: 'viewer', object: 'doc:1' }]
    const first = sqliteStore({ path })
    const { id } = await first.createStore('kept')
    await first.write(id, { writes })
    await first[Symbol.asyncDispose]()

    await using second = sqliteStore({ path })
    expect(second.identity).toEqual(first.identity)
    expect((await second.read(id, {}, { limit: 9 })).items.map(({ tuple }) => tuple.object)).toEqual([
      'doc:1',
    ])
    // Another connection on the same file, as another process has it.
    await using third = sqliteStore({ path, poll: 5 })
    const waiting = third.changed(id, 1)
    await second.write(id, { deletes: writes })
    await waiting
    expect(third.revision(id)).toBe(2)
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('is opened and read while another connection writes, and says so where it must write too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zanzibar-'))
  try {
    const path = join(folder, 'store')
    await using store = sqliteStore({ path })
    const { id } = await store.createStore('busy')
    using writing = new DatabaseSync(path)
    writing.exec('BEGIN IMMEDIATE')
    await using beside = sqliteStore({ path })
    expect(beside.identity).toEqual(store.identity)
    expect(beside.revision(id)).toBe(0)
    // As the store does, but for its patience.
    using impatient = new DatabaseSync(path, { timeout: 0 })
    const statements = new Statements(impatient)
    const refused = expect.objectContaining({ code: 'Aborted' })
    const add = 'INSERT INTO zanzibar_model (store, id, model) VALUES (1, ?, ?)'
    expect(() => statements.run(add, 'id', '{}')).toThrow(refused)
    expect(() => statements.atomically(() => undefined)).toThrow(refused)
    writing.exec('ROLLBACK')
    statements.run(add, 'id', '{}')
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('reads a model once, and another one that another connection wrote', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zanzibar-'))
  try {
    const path = join(folder, 'store')
    await using store = sqliteStore({ path })
    const api = openFgaApi({ store })
    const { id } = await store.createStore('models')
    const modelOf = (relation: string): AuthorizationModel => ({
      schema_version: '1.1',
      type_definitions: [
        { type: 'user' },
        {
          type: 'doc',
          relations: { [relation]: { this: {} } },
          metadata: { relations: { [relation]: { directly_related_user_types: [{ type: 'user' }] } } },
        },
      ],
    })
    const ask = async (relation: string): Promise<boolean> =>
      (await api.check(id, { tuple_key: { user: 'user:a', relation, object: 'doc:1' } })).allowed
    await api.writeAuthorizationModel(id, modelOf('viewer'))
    expect(await ask('viewer')).toBe(false)
    using other = new DatabaseSync(path)
    other.exec("UPDATE zanzibar_model SET model = 'read again'")
    expect(await ask('viewer')).toBe(false)
    await using beside = sqliteStore({ path })
    await beside.writeModel(id, modelOf('editor'))
    expect(await ask('editor')).toBe(false)
    await expect(ask('viewer')).rejects.toMatchObject({ code: 'validation_error' })
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('reads at a stretch, and writes and sees what others write in the midst of it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zanzibar-'))
  try {
    const path = join(folder, 'store')
    await using store = sqliteStore({ path })
    const { id } = await store.createStore('stretch')
    using other = new DatabaseSync(path)
    await using beside = sqliteStore({ path })
    const read = { kind: 'users', object: 'doc:1', relation: 'viewer' } as const
    const write = async (to: typeof store, user: string): Promise<void> => {
      await to.write(id, { writes: [{ user, relation: 'viewer', object: 'doc:1' }] })
    }
    const empty = store.snapshot(id)
    expect(empty.at(read)).toHaveLength(0)
    // Of one stretch are: the reads above and below, and each write up to its promise.
    const writing = write(store, 'user:a')
    // Committed at once: another connection sees it.
    expect(other.prepare('SELECT count(*) AS n FROM zanzibar_tuple').get()).toEqual({ n: 1 })
    expect(empty.at(read)).toHaveLength(0)
    const besides = write(beside, 'user:b')
    const latest = store.snapshot(id)
    expect([latest.revision, latest.at(read)?.length]).toEqual([2, 2])
    expect(empty.at(read)).toHaveLength(0)
    await Promise.all([writing, besides])
    // What was begun by the reads has ended: nothing of the log is held.
    expect(other.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 })
    latest.at(read)
    await store[Symbol.asyncDispose]()
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('forgets a revision an hour after the next one came, and collects what only it had', async () => {
  let now = 0
  await using store = sqliteStore({ path: ':memory:', clock: { ...realClock, now: () => now } })
  const { id } = await store.createStore('old')
  const key = { user: 'user:a', relation: 'viewer', object: 'doc:1' }
  await store.write(id, { writes: [key] })
  await store.write(id, { deletes: [key] })
  const held = store.snapshot(id, { revision: 1 })
  expect(held.at({ kind: 'tuple', ...key })).toHaveLength(1)
  now += 3_600_001
  expect(() => store.snapshot(id, { revision: 1 })).toThrow('no longer kept')
  expect(held.at({ kind: 'tuple', ...key })).toHaveLength(1)
  now += 60_000
  expect(() => held.at({ kind: 'tuple', ...key })).toThrow('read for longer than the history')
  // Every 64 writes what is old is collected; the changes stay.
  for (let each = 0; each < 130; each++) {
    await store.write(id, { [each % 2 === 0 ? 'writes' : 'deletes']: [key] })
  }
  expect(() => store.snapshot(id, { revision: 1 })).toThrow('no longer kept')
  expect(await store.changes(id, { limit: 1000 })).toHaveLength(132)
  expect(store.snapshot(id).revision).toBe(132)
})

it('removes what has expired', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zanzibar-'))
  try {
    let now = 0
    const path = join(folder, 'store')
    await using store = sqliteStore({ path, clock: { ...realClock, now: () => now } })
    using database = new DatabaseSync(path)
    const rows = await rowsAfterSweep(
      store,
      (time) => {
        now = time
      },
      async () => Number(database.prepare('SELECT count(*) AS n FROM zanzibar_tuple').get()?.['n']),
    )
    expect(rows).toBeLessThan(80)
  } finally {
    await rm(folder, { recursive: true })
  }
}, 60_000)

it('says which option is at fault', () => {
  expect(() => sqliteStore({ path: ':memory:', history: -1 })).toThrow(
    'history must be a number of milliseconds',
  )
})

it('is opened by two at the same moment in a new file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zanzibar-'))
  const program = new URL('./programs/open-sqlite.ts', import.meta.url)
  const parties = 2
  // About one in six fails where WAL is asked for once only.
  const paths = Array.from({ length: 50 }, (_, round) => join(folder, `${round}.sqlite`))
  const workerData = { paths, barrier: new Int32Array(new SharedArrayBuffer(4)), parties }
  const execArgv = ['--conditions=@loadbearing/source']
  try {
    const failures = Array.from({ length: parties }, async () => {
      const worker = new Worker(program, { workerData, execArgv })
      const [[failed]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
      return failed
    })
    expect(await Promise.all(failures)).toEqual([[], []])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
