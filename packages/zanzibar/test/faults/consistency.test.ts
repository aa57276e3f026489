import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { postgres, type Service, skipWithout } from '@loadbearing/harness/services'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tokensOf } from '../../src/consistency/token.ts'
import { type MemoryStore, memoryStore, openZanzibar, type TupleStore } from '../../src/index.ts'
import { enemyModel, newEnemies } from './new-enemy.ts'
import { openCast } from './open-cast.ts'
import { openStore } from './open-store.ts'
import { pageWhileWriting } from './pages.ts'
import { seeded } from './seeded.ts'

// The campaigns of the command, cut short, with the seed of the property tests.
// What was answered is asked for, not what survives.
const hasty = '?options=-c%20synchronous_commit%3Doff'

const { seed = Math.trunc(Math.random() * 2 ** 31) } = fc.readConfigureGlobal()
const random = seeded(seed)

const unavailable = skipWithout('postgres')
let server: Service | undefined

beforeAll(async () => {
  if (!unavailable) server = await postgres()
}, 120_000)

afterAll(() => server?.stop())

const clean = { staleness: 0, violations: [] }

describe('a new enemy, by tokens', () => {
  it('is never let through in memory', async () => {
    expect(await enemies('memory', 500)).toMatchObject(clean)
  })
  it('is never let through on SQLite, of which another process writes', async () => {
    expect(await inFolder((path) => enemies(path, 50))).toMatchObject(clean)
  })
  it.skipIf(unavailable)('is never let through on PostgreSQL', async () => {
    expect(await enemies(`${server?.url}${hasty}`, 60)).toMatchObject(clean)
  })

  it.each(['check', 'evaluate'] as const)(
    'is found where a store gives old snapshots to %s for new ones',
    async (name) => {
      const store = memoryStore()
      const content = await openZanzibar({ store, model: enemyModel })
      const stale = await openZanzibar({ store: staleOf(store), model: enemyModel })
      // All but that one question is answered as it should be.
      const reader = new Proxy(content, {
        get: (target, property) => {
          const from = property === name ? stale : target
          const value: unknown = Reflect.get(from, property, from)
          return typeof value === 'function' ? value.bind(from) : value
        },
      })
      const tokens = tokensOf(store.identity, content.storeId)
      const cast = {
        acl: async (write: Parameters<typeof content.write>[0]) => (await content.write(write)).token,
        content,
        readers: [reader, reader] as const,
        revisionOf: (token: string) => tokens.read(token),
      }
      const { violations } = await newEnemies(cast, { late: 2000, lanes: 4, random })
      expect(violations).toContainEqual(expect.stringContaining(`, by ${name}:`))
    },
  )
})

/** Gives snapshots of up to three revisions before. */
function staleOf(inner: MemoryStore): TupleStore {
  return new Proxy<TupleStore>(inner, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (name === 'snapshot') {
        return (id: string) => {
          const revision = inner.revision(id)
          const old = inner.snapshot(id, { revision: Math.max(0, revision - Math.floor(random() * 4)) })
          return {
            revision,
            at: old.at.bind(old),
            fetch: old.fetch.bind(old),
            release: () => old.release(),
          }
        }
      }
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

describe('pages of a list of objects', () => {
  it('are of one moment in memory', async () => {
    const store = memoryStore()
    expect(await pages(store, store)).toMatchObject({ violations: [] })
  })
  it('are of one moment on SQLite', async () => {
    const paged = await inFolder(async (path) => {
      await using reader = await openStore(path)
      await using writer = await openStore(path)
      return await pages(reader.store, writer.store)
    })
    expect(paged).toMatchObject({ violations: [] })
  })
  it.skipIf(unavailable)('are of one moment on PostgreSQL', async () => {
    await using reader = await openStore(`${server?.url}${hasty}`)
    await using writer = await openStore(`${server?.url}${hasty}`)
    expect(await pages(reader.store, writer.store)).toMatchObject({ violations: [] })
  })
})

async function enemies(address: string, late: number): Promise<object> {
  await using opened = await openCast(address, `enemies ${seed}`)
  const met = await newEnemies(opened.cast, { late, lanes: 4, random })
  expect(met.late).toBeGreaterThanOrEqual(late)
  expect(met.checks).toBeGreaterThan(late / 4)
  // He was let through as long as he might be.
  expect(met.allowed).toBeGreaterThan(0)
  return { seed, ...met }
}

async function pages(reader: TupleStore, writer: TupleStore): Promise<object> {
  const options = { name: `pages ${seed}`, objects: 200, pageSize: 20, random, pace: nextTurn }
  const paged = await pageWhileWriting({ reader, writer }, options)
  expect(paged.pages).toBe(Math.ceil(paged.objects / 20))
  expect(paged.writes).toBeGreaterThanOrEqual(paged.pages)
  return { seed, ...paged }
}

async function inFolder<Result>(body: (path: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'zanzibar-'))
  try {
    return await body(join(folder, 'store'))
  } finally {
    await rm(folder, { recursive: true })
  }
}
