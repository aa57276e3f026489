import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipWithout } from '@loadbearing/harness/services'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sqliteStore } from '../../src/adapters/sqlite.ts'
import { memoryStore, openZanzibar, type Read, type Snapshot, type TupleStore } from '../../src/index.ts'
import { openCountedStore } from '../stores/counted-store.ts'

const groups = `model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
    define banned: [user]
    define allowed: member but not banned
type resource
  relations
    define parent: [resource]
    define viewer: [user, group#member]
    define view: viewer or view from parent
`

type Triple = [user: string, relation: string, object: string]

/** SpiceDB's DeepArrow (`authzed/spicedb:pkg/benchmarks/deep_arrow.go`): a chain of parents, and a user who views its last but one. */
function deepArrow(depth: number): Triple[] {
  const parents = Array.from(
    { length: depth },
    (_, at): Triple => [`resource:${at + 1}`, 'parent', `resource:${at}`],
  )
  return [...parents, ['user:slow', 'viewer', `resource:${depth - 1}`]]
}

/** The same store; counts what is read of snapshots, and how often it is fetched. */
function counting(store: TupleStore): { readonly store: TupleStore; reads: number; fetches: number } {
  const counts = { reads: 0, fetches: 0 }
  const counted = (snapshot: Snapshot): Snapshot => ({
    revision: snapshot.revision,
    at: (read: Read) => {
      counts.reads++
      return snapshot.at(read)
    },
    fetch: (reads, signal) => {
      counts.fetches++
      return snapshot.fetch(reads, signal)
    },
    release: () => snapshot.release(),
  })
  const proxy = new Proxy(store, {
    get: (target, name) => {
      if (name === 'snapshot')
        return (...given: Parameters<TupleStore['snapshot']>) => {
          const snapshot = target.snapshot(...given)
          return snapshot instanceof Promise ? snapshot.then(counted) : counted(snapshot)
        }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return Object.assign(counts, { store: proxy })
}

describe.each([
  ['memory', () => memoryStore()],
  ['SQLite', () => sqliteStore({ path: ':memory:' })],
])('over %s', (_, open) => {
  test('a thousand groups deep take as many reads as one', async () => {
    const counts = counting(open())
    await using store = counts.store
    const add = [
      ...Array.from(
        { length: 1000 },
        (__, at): Triple => [`group:${at + 1}#member`, 'member', `group:${at}`],
      ),
      ['user:deep', 'member', 'group:1000'] as const,
      ['user:flat', 'member', 'group:0'] as const,
    ]
    await (await openZanzibar({ model: groups, store })).write({ add })
    await using zanzibar = await openZanzibar({ model: groups, store, closureIndex: true })
    const reads = async (user: string): Promise<number> => {
      counts.reads = 0
      expect(zanzibar.checkSync(user, 'member', 'group:0')).toBe(user !== 'user:nobody')
      return counts.reads
    }
    expect([await reads('user:flat'), await reads('user:deep'), await reads('user:nobody')]).toEqual([
      1, 1, 1,
    ])
  })

  test('what is deleted does not count from its very revision on, and before it did', async () => {
    await using store = open()
    await using zanzibar = await openZanzibar({ model: groups, store, closureIndex: true })
    const before = await zanzibar.write({
      add: [
        ['group:b#member', 'member', 'group:a'],
        ['user:anne', 'member', 'group:b'],
      ],
    })
    const ask = (exactly: string): Promise<boolean> =>
      zanzibar.check('user:anne', 'member', 'group:a', { exactly })
    expect(await ask(before.token)).toBe(true)
    const after = await zanzibar.write({ remove: [['group:b#member', 'member', 'group:a']] })
    expect([await ask(before.token), await ask(after.token)]).toEqual([true, false])
    expect(await zanzibar.check('user:anne', 'member', 'group:a')).toBe(false)
    const again = { contextualTuples: [['group:b#member', 'member', 'group:a']] as const }
    expect(await zanzibar.check('user:anne', 'member', 'group:a', again)).toBe(true)
  })
})

test('an exclusion over groups is walked, and what it is made of is looked up', async () => {
  const counts = counting(memoryStore())
  const add = [
    ...Array.from({ length: 50 }, (_, at): Triple => [`group:${at + 1}#member`, 'member', `group:${at}`]),
    ['user:a', 'member', 'group:50'] as const,
    ['user:b', 'member', 'group:50'] as const,
    ['user:b', 'banned', 'group:0'] as const,
  ]
  await using store = counts.store
  await (await openZanzibar({ model: groups, store })).write({ add })
  await using zanzibar = await openZanzibar({ model: groups, store, closureIndex: true })
  counts.reads = 0
  expect(await zanzibar.check('user:a', 'allowed', 'group:0')).toBe(true)
  expect(await zanzibar.check('user:b', 'allowed', 'group:0')).toBe(false)
  expect(counts.reads).toBe(4)
})

test('what another process writes is followed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zanzibar-index-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'tuples.db')
  await using others = sqliteStore({ path })
  const counts = counting(sqliteStore({ path }))
  await using store = counts.store
  await using other = await openZanzibar({ model: groups, store: others })
  await using zanzibar = await openZanzibar({ model: groups, store, closureIndex: true })
  const ask = (): boolean => zanzibar.checkSync('user:slow', 'view', 'resource:0')
  expect(ask()).toBe(false)
  await other.write({ add: deepArrow(40) })
  expect(ask()).toBe(true)
  // One for each way to be assigned: as a viewer, and as a member of groups.
  for (counts.reads = 99; counts.reads > 2; await new Promise(setImmediate)) {
    counts.reads = 0
    expect(ask()).toBe(true)
  }
  await other.write({ remove: [['resource:20', 'parent', 'resource:19']] })
  expect(ask()).toBe(false)
})

test.each([
  ['by one relation takes nothing away', '[user, group#member]', true],
  ['by two relations takes away', '[user, group#member, group#guild]', false],
])(
  'what is subtracted and leads round in a circle %s, as it does where it is walked',
  async (_, members, allowed) => {
    const model = `model
  schema 1.1
type user
type group
  relations
    define member: ${members}
    define guild: [user, group#member]
    define guest: [user] but not member
`
    await using store = memoryStore()
    const add: Triple[] = [
      ['group:b#member', 'member', 'group:a'],
      ['group:a#member', 'member', 'group:b'],
      ['user:anne', 'guest', 'group:a'],
      ['user:anne', 'guest', 'group:c'],
    ]
    await using without = await openZanzibar({ model, store })
    await without.write({ add })
    await using zanzibar = await openZanzibar({ model, store, closureIndex: true })
    for (const each of [without, zanzibar]) {
      expect(await each.check('user:anne', 'guest', 'group:a')).toBe(allowed)
      expect(await each.check('user:anne', 'guest', 'group:c')).toBe(true)
    }
  },
)

test('tuples that only an older model took lead nowhere', async () => {
  const model = (members: string): string => `model
  schema 1.1
type user
type team
  relations
    define member: [user, team#member]
type group
  relations
    define helper: [team#member]
    define member: [${members}] or helper
`
  await using store = memoryStore()
  const add: Triple[] = [
    ['user:anne', 'member', 'team:a'],
    ['team:a#member', 'member', 'group:b'],
    ['group:b#member', 'member', 'group:a'],
  ]
  const older = model('user, group#member, team#member')
  await using before = await openZanzibar({ model: older, store, closureIndex: true })
  await using zanzibar = await openZanzibar({ model: model('user, group#member'), store, closureIndex: true })
  await before.write({ add })
  // Before the index has followed, and after.
  for (let turn = 0; turn < 20; turn++) {
    expect(await before.check('user:anne', 'member', 'group:a')).toBe(true)
    for (const object of ['group:a', 'group:b']) {
      expect(await zanzibar.check('user:anne', 'member', object)).toBe(false)
    }
    await new Promise(setImmediate)
  }
})

test('an index that grows too large knows nothing, and checks go on', async () => {
  await using store = memoryStore()
  await using zanzibar = await openZanzibar({ model: groups, store, closureIndex: { maxEntries: 50 } })
  await zanzibar.write({ add: deepArrow(60) })
  for (let round = 0; round < 3; round++) {
    expect(await zanzibar.check('user:slow', 'view', 'resource:0')).toBe(true)
    await new Promise(setImmediate)
  }
  await expect(openZanzibar({ model: groups, store, closureIndex: { maxEntries: 0 } })).rejects.toMatchObject(
    {
      code: 'invalid_option',
      message: 'closureIndex.maxEntries must be a whole number, 1 or more, not 0',
    },
  )
})

describe.skipIf(skipWithout('postgres'))('over PostgreSQL', () => {
  test('DeepArrow 30 takes 3 round trips at most with the index, 31 without; a wide one no more', async () => {
    await using counted = await openCountedStore()
    const { store } = counted
    await using without = await openZanzibar({ model: groups, store })
    const wide = Array.from({ length: 500 }, (_, at): Triple[] => [
      [`group:w${at}#member`, 'viewer', 'resource:wide'],
      [`group:v${at}#member`, 'member', `group:w${at}`],
    ])
    await without.write({ add: [...deepArrow(30), ...wide.flat(), ['user:w', 'member', 'group:v499']] })
    await using indexed = await openZanzibar({ model: groups, store, closureIndex: true })
    const trips = async (
      zanzibar: typeof indexed,
      user: string,
      object: string,
    ): Promise<readonly [answer: boolean, trips: number]> => {
      counted.trips = 0
      return [await zanzibar.check(user, 'view', object), counted.trips]
    }
    for (const [user, object, allowed] of [
      ['user:slow', 'resource:0', true],
      ['user:nobody', 'resource:0', false],
      ['user:w', 'resource:wide', true],
      ['user:nobody', 'resource:wide', false],
    ] as const) {
      const [answer, took] = await trips(indexed, user, object)
      expect([user, object, answer]).toEqual([user, object, allowed])
      expect(took).toBeLessThanOrEqual(3)
      const [plain, levels] = await trips(without, user, object)
      expect([user, object, plain]).toEqual([user, object, allowed])
      if (allowed) expect(levels).toBeLessThanOrEqual(31)
    }
  })
})
