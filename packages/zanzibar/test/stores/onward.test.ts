import { eventually } from '@loadbearing/harness/faults'
import { skipWithout } from '@loadbearing/harness/services'
import fc from 'fast-check'
import type { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import type { Statement } from '../../src/adapters/postgres/client.ts'
import { usualBounds } from '../../src/adapters/postgres/reading.ts'
import { openPostgresStore } from '../../src/adapters/postgres.ts'
import { certainWaysOf } from '../../src/graph/above.ts'
import { check } from '../../src/graph/check.ts'
import { firstOfChecks, firstOfList } from '../../src/graph/first-reads.ts'
import { listObjects } from '../../src/graph/list-objects.ts'
import { plansFor } from '../../src/graph/plan.ts'
import type { Scope } from '../../src/graph/tuple-reader.ts'
import { memoryStore, openFgaApi, openZanzibar, parseModel } from '../../src/index.ts'
import type { Read, Snapshot } from '../../src/store/snapshot.ts'
import type { TupleStore } from '../../src/store/tuple-store.ts'
import { typeOf } from '../../src/tuple/object.ts'
import type { Tuple, TupleKey } from '../../src/tuple/tuple.ts'
import { naiveCheck, TooLong } from '../engine/naive-check.ts'
import { scopeOf } from '../engine/random-scope.ts'
import { objectTypes, type RandomCase, randomCase, relationNames } from '../random/random-model.ts'
import { openTestStore } from './open-test-store.ts'
import { storeWithin } from './store-within.ts'

const objects = objectTypes.flatMap((type) => ['1', '2', '3'].map((id) => `${type}:${id}`))
const relations = ['parent', ...relationNames]
const users = [...objects, 'user:1', 'user:2', 'user:*', 'group:1#a', 'folder:2#b']

/** Everything that can be asked of a random case. */
const reads: readonly Read[] = relations.flatMap((relation): readonly Read[] => [
  ...objects.flatMap((object): readonly Read[] => [
    { kind: 'users', object, relation },
    { kind: 'usersets', object, relation },
    { kind: 'usersets', object, relation, limit: 1 },
    ...users.map((user): Read => ({ kind: 'tuple', object, relation, user })),
  ]),
  ...users.flatMap((user) => objectTypes.map((type): Read => ({ kind: 'objects', type, relation, user }))),
])

const sorted = (tuples: readonly Tuple[]): readonly string[] =>
  tuples
    .map(({ user, relation, object, condition }) => JSON.stringify({ object, relation, user, condition }))
    .toSorted()

/** Of all that a snapshot has at hand, how much there is; it must be what was written. */
function compareAll(snapshot: Snapshot, plain: Snapshot): number {
  let known = 0
  for (const read of reads) {
    const found = snapshot.at(read)
    if (found === undefined) continue
    known++
    const isCut = 'limit' in read && read.limit !== undefined
    const all = sorted(plain.at(isCut ? { ...read, limit: undefined } : read) ?? [])
    const given = sorted(found)
    if (isCut) {
      expect({ read, count: given.length }).toEqual({ read, count: Math.min(all.length, 2) })
      expect(all).toEqual(expect.arrayContaining([...given]))
    } else expect({ read, given }).toEqual({ read, given: all })
  }
  return known
}

/** What a check is by its definition, or `late` where that takes too long to find out. */
function definedOf(given: RandomCase, key: Parameters<typeof naiveCheck>[1]): string {
  try {
    const outcome = naiveCheck({ ...given, depthLimit: Number.POSITIVE_INFINITY }, key)
    return outcome === 'cycle' ? 'no' : outcome
  } catch (error) {
    if (error instanceof TooLong) return 'late'
    throw error
  }
}

async function compareCase(
  store: TupleStore,
  given: RandomCase,
  depthLimit: number,
): Promise<{ known: number; fetches: number }> {
  const { id } = await store.createStore('onward')
  await store.write(id, { writes: given.tuples })
  await using memory = memoryStore()
  const { id: inMemory } = await memory.createStore('onward')
  await memory.write(inMemory, { writes: given.tuples })
  const plain = { ...scopeOf(given, depthLimit), snapshot: memory.snapshot(inMemory) }
  const counted = { known: 0, fetches: 0 }
  const ask = async <T>(
    first: NonNullable<Parameters<TupleStore['snapshot']>[1]>['first'],
    work: (of: Snapshot) => T,
  ) => {
    const snapshot = await store.snapshot(id, { first })
    counted.known += compareAll(snapshot, plain.snapshot)
    const told: Snapshot = {
      revision: snapshot.revision,
      at: (read) => snapshot.at(read),
      fetch: (wanted, signal, onward) => {
        counted.fetches++
        return snapshot.fetch(wanted, signal, onward)
      },
      release: () => {},
    }
    const answer = await work(told)
    counted.known += compareAll(snapshot, plain.snapshot)
    snapshot.release()
    return answer
  }
  for (const user of ['user:1', 'user:2', 'group:1#a']) {
    for (const object of ['group:1', 'document:1', 'document:2']) {
      const key = { user, relation: 'c', object }
      tellAbove(plain, key)
      const { allowed, error } = await ask(
        () => firstOfChecks(undefined, [(snapshot) => ({ scope: { ...plain, snapshot }, key })]),
        (snapshot) => check({ ...plain, snapshot }, key),
      )
      const wanted = await check(plain, key)
      const isUnlimited = depthLimit === Number.POSITIVE_INFINITY
      // Which of several errors is told at the limit of depth depends on the order of tuples.
      const told = (failed: typeof error): unknown => (isUnlimited ? failed?.number : failed !== undefined)
      expect({ key, allowed, error: told(error) }).toEqual({
        key,
        allowed: wanted.allowed,
        error: told(wanted.error),
      })
      if (!isUnlimited) continue
      const defined = definedOf(given, key)
      // Too many ways to tell: that is looked at apart.
      if (defined === 'late' || error?.number === 2002) continue
      const outcome = error !== undefined ? 'failed' : allowed ? 'yes' : 'no'
      expect({ key, outcome }).toEqual({ key, outcome: defined })
    }
    const request = { user, relation: 'c', type: 'document' }
    const listed = async (of: typeof plain): Promise<unknown> => {
      try {
        return [...(await listObjects(of, request))].toSorted()
      } catch (error) {
        return Object(error).number
      }
    }
    const found = await ask(
      () => firstOfList(undefined, (snapshot) => ({ ...plain, snapshot }), request),
      (snapshot) => listed({ ...plain, snapshot }),
    )
    expect({ request, found }).toEqual({ request, found: await listed(plain) })
  }
  await store.deleteStore(id)
  return counted
}

/** As if a list below it had been a wide one: none of a random case is. */
function tellAbove({ types, depthLimit }: Scope, { user, relation, object }: TupleKey): void {
  const plans = plansFor(types, user, depthLimit !== Number.POSITIVE_INFINITY)
  const asked = types.relation(typeOf(object), relation)
  if (asked !== undefined) certainWaysOf(plans, asked).isWide = true
}

/** How much was known, and how often something was fetched, in all of that many random cases. */
async function compareCases(
  store: TupleStore,
  numRuns: number,
  depthLimit = Number.POSITIVE_INFINITY,
): Promise<{ known: number; fetches: number; cases: number }> {
  const sum = { known: 0, fetches: 0, cases: 0 }
  for (const conditions of [false, true]) {
    await fc.assert(
      fc.asyncProperty(randomCase(conditions), async (given) => {
        const { known, fetches } = await compareCase(store, { ...given, contextualTuples: [] }, depthLimit)
        sum.known += known
        sum.fetches += fetches
        sum.cases++
      }),
      { numRuns },
    )
  }
  return sum
}

describe.skipIf(skipWithout('postgres'))('what PostgreSQL brings along', () => {
  test('is what was written, and answers as without it', async () => {
    await using opened = await openTestStore('postgres')
    const { known, fetches, cases } = await compareCases(opened.store, 40)
    expect(known).toBeGreaterThan(cases * 100)
    // Twelve questions a case: most of them need no other round trip.
    expect(fetches).toBeLessThan(cases * 6)
  })

  test.each([
    { down: 1, up: 1, nodes: 40, nodesAtFirst: 40, narrow: 1, above: 40, text: 2 ** 20 },
    { down: 1, up: 2, nodes: 3, nodesAtFirst: 2, narrow: 0, above: 2, text: 2 ** 20 },
    { down: 2, up: 1, nodes: 2, nodesAtFirst: 8, narrow: 2, above: 3, text: 40 },
    { down: 3, up: 3, nodes: 1, nodesAtFirst: 1, narrow: 1, above: 40, text: 0 },
  ])('is right whatever is left out: %j', async (bounds) => {
    await using opened = await openTestStore('postgres')
    const { pool = expect.unreachable() } = opened
    await using store = await storeWithin(pool, bounds)
    const { known, fetches, cases } = await compareCases(store, 25)
    expect(known).toBeGreaterThan(cases * 20)
    expect(fetches).toBeGreaterThan(cases)
  })

  test.each([2, 4])('is right where at most %i tuples may lead to each other', async (depthLimit) => {
    await using opened = await openTestStore('postgres')
    const { pool = expect.unreachable() } = opened
    await using store = await storeWithin(pool, { ...usualBounds, narrow: 1 })
    const { known, cases } = await compareCases(store, 15, depthLimit)
    expect(known).toBeGreaterThan(cases * 20)
  })

  test('a list that is longer than what is brought along stays whole where a circle leads back to it', async () => {
    await using opened = await openTestStore('postgres')
    const { pool = expect.unreachable() } = opened
    const names = new Set<string>()
    const query = (statement: Statement): Promise<{ rows: unknown[] }> => {
      names.add(statement.name ?? '')
      return pool.query(statement)
    }
    await using store = await storeWithin(
      { query, connect: () => pool.connect(), options: pool.options },
      usualBounds,
    )
    const zanzibar = await openZanzibar({ store, model: groups })
    const count = usualBounds.down + 50
    const teams = Array.from({ length: count }, (_, at) => at)
    await zanzibar.write({
      add: [
        ...teams.map((at) => [`user:${at}`, 'member', `team:${at}`] as const),
        ...teams.map((at) => [`team:${at}#member`, 'member', 'group:0'] as const),
        ['group:1#member', 'member', 'group:0'],
        ['group:0#member', 'member', 'group:1'],
      ],
    })
    for (const object of ['group:0', 'group:1']) {
      for (const at of teams) {
        const user = `user:${at}`
        expect({ user, object, may: await zanzibar.check(user, 'member', object) }).toEqual({
          user,
          object,
          may: true,
        })
      }
    }
    // None of it was asked for again.
    expect([...names].some((name) => name.endsWith('_down'))).toBe(true)
    expect(names).not.toContain('zanzibar_read_user_rows')
  })

  test('of a level whose lists all lead to the same, each is looked up once', async () => {
    await using opened = await openTestStore('postgres')
    const { pool = expect.unreachable() } = opened
    // Plans are made as they are told to be run, and say how often.
    let scans = 0
    const query = async (statement: Statement): Promise<{ rows: unknown[] }> => {
      if (statement.text.includes('WITH RECURSIVE')) {
        const { rows } = await pool.query(
          `EXPLAIN (ANALYZE, FORMAT JSON) ${statement.text}`,
          statement.values,
        )
        scans += scansIn(rows)
      }
      return pool.query(statement)
    }
    const counted = { query, connect: () => pool.connect(), options: pool.options }
    await using store = await openPostgresStore({ pool: counted })
    const zanzibar = await openZanzibar({ store, model: groups })
    const [levels, width] = [3, 30]
    const all = Array.from({ length: levels * width }, (_, at) => ({
      level: Math.floor(at / width),
      name: `group:${at}`,
    }))
    await zanzibar.write({
      add: all.flatMap(({ level, name }) =>
        all
          .filter((each) => each.level === level + 1)
          .map((each) => [`${each.name}#member`, 'member', name] as const),
      ),
    })
    expect(await zanzibar.check('user:nobody', 'member', 'group:0')).toBe(false)
    expect(scans).toBeGreaterThan(width)
    expect(scans).toBeLessThan(4 * levels * width)
  })

  test('is whole of 151 lists, and nothing of what 300 lead to', async () => {
    await using opened = await openTestStore('postgres')
    const { pool = expect.unreachable() } = opened
    const rows: number[] = []
    const query = async (statement: Statement): Promise<{ rows: unknown[] }> => {
      const answer = await pool.query(statement)
      if (statement.name?.startsWith('zanzibar_read') === true) rows.push(answer.rows.length)
      return answer
    }
    const counted = { query, connect: () => pool.connect(), options: pool.options }
    await using store = await openPostgresStore({ pool: counted })
    const zanzibar = await openZanzibar({ store, model: groups })
    const link = (from: string, to: string) => [`${from}#member`, 'member', to] as const
    const numbers = (length: number): readonly number[] => Array.from({ length }, (_, at) => at)
    await zanzibar.write({
      add: numbers(10).flatMap((at) => [
        link(`group:${at}`, 'group:all'),
        ...numbers(14).map((below) => link(`group:${at}-${below}`, `group:${at}`)),
      ]),
    })
    expect(await zanzibar.check('user:nobody', 'member', 'group:all')).toBe(false)
    expect(rows).toEqual([expect.any(Number)])
    expect(rows[0]).toBeGreaterThanOrEqual(151)

    await zanzibar.write({ add: numbers(300).map((at) => link(`group:${at}`, 'group:wide')) })
    rows.length = 0
    expect(await zanzibar.check('user:nobody', 'member', 'group:wide')).toBe(false)
    expect(rows[0]).toBeLessThan(10)
  })

  test('of a wide group only what lies above the user, where that leads to it', async () => {
    await using opened = await openTestStore('postgres')
    const { pool = expect.unreachable() } = opened
    const rows: number[] = []
    const query = async (statement: Statement): Promise<{ rows: unknown[] }> => {
      const answer = await pool.query(statement)
      if (statement.name?.startsWith('zanzibar_read') === true) rows.push(answer.rows.length)
      return answer
    }
    await using store = await openPostgresStore({
      pool: { query, connect: () => pool.connect(), options: pool.options },
    })
    const zanzibar = await openZanzibar({ store, model: groups })
    const link = (from: string, to: string) => [`${from}#member`, 'member', to] as const
    await zanzibar.write({
      add: Array.from({ length: 80 }, (_, at) => [
        link(`group:${at}`, 'group:all'),
        link(`group:${at}-0`, `group:${at}`),
      ]).flat(),
    })
    await zanzibar.write({ add: [link('group:all', 'group:top'), ['user:anne', 'member', 'group:79-0']] })
    const ask = async (user: string): Promise<boolean> => {
      rows.length = 0
      return await zanzibar.check(user, 'member', 'group:top')
    }
    // That the group is wide is found out once.
    expect(await ask('user:anne')).toBe(true)
    expect(rows[0]).toBeGreaterThan(160)
    expect(await ask('user:anne')).toBe(true)
    expect(rows).toEqual([expect.any(Number)])
    expect(rows[0]).toBeLessThan(20)
    expect(await ask('user:nobody')).toBe(false)
    expect(rows).toEqual([expect.any(Number)])

    // What is no longer so above the user is not taken from below.
    await zanzibar.write({ remove: [link('group:79-0', 'group:79')] })
    expect(await ask('user:anne')).toBe(false)
    // A tuple of the question may hide what is stored: then the way from the user's side tells nothing.
    const given = [['user:anne', 'member', 'group:79']] as const
    expect(await zanzibar.check('user:anne', 'member', 'group:top', { contextualTuples: given })).toBe(true)
  })

  test('is not waited for any longer than the question is', async () => {
    await using opened = await openTestStore('postgres')
    const { pool = expect.unreachable() } = opened
    const zanzibar = await openZanzibar({ store: opened.store, model: groups })
    expect(await zanzibar.check('user:1', 'member', 'group:1')).toBe(false)
    const api = openFgaApi({ store: opened.store, limits: { listObjectsDeadline: 100 } })
    const { id } = await opened.store.createStore('deadline')
    await opened.store.writeModel(id, parseModel(groups))
    const list = { type: 'group', relation: 'member', user: 'user:1' }
    expect(await api.listObjects(id, list)).toEqual({ objects: [] })

    await using other = await locked(pool, 'zanzibar_tuple')
    const given = new AbortController()
    const asked = zanzibar.check('user:1', 'member', 'group:1', { signal: given.signal })
    await eventually(other.isWaitedFor)
    given.abort(new Error('gone'))
    await expect(asked).rejects.toMatchObject({ code: 'cancelled', cause: new Error('gone') })

    // As OpenFGA does, a list ends at its deadline with what it has.
    expect(await api.listObjects(id, list)).toEqual({ objects: [] })
  })

  test('is not waited for any longer where the store is asked for the first time', async () => {
    await using opened = await openTestStore('postgres')
    const { pool = expect.unreachable() } = opened
    const { id } = await opened.store.createStore('new here')
    await using other = await locked(pool, 'zanzibar_store')
    const given = new AbortController()
    const asked = opened.store.snapshot(id, { signal: given.signal })
    await eventually(other.isWaitedFor)
    given.abort(new Error('gone'))
    await expect(asked).rejects.toThrow('gone')
  })

  test('what was fetched after it was asked for is no way that leads back to itself', async () => {
    await using opened = await openTestStore('postgres')
    const zanzibar = await openZanzibar({ store: opened.store, model: groups })
    for (let from = 0; from < 40_000; from += 1000) {
      await zanzibar.write({
        add: Array.from(
          { length: 1000 },
          (_, at) => [`group:${from + at}#member`, 'member', 'group:wide'] as const,
        ),
      })
    }
    expect(await zanzibar.check('user:nobody', 'member', 'group:wide')).toBe(false)
  })
})

const groups = `
model
  schema 1.1
type user
type team
  relations
    define member: [user]
type group
  relations
    define member: [user, team#member, group#member]`

/** How often a plan that was run has scanned tuples. */
function scansIn(plan: unknown): number {
  if (Array.isArray(plan)) return plan.reduce<number>((sum, each) => sum + scansIn(each), 0)
  if (typeof plan !== 'object' || plan === null) return 0
  const { 'Relation Name': table, 'Actual Loops': loops } = plan as Readonly<Record<string, unknown>>
  const own = table === 'zanzibar_tuple' && typeof loops === 'number' ? loops : 0
  return own + scansIn(Object.values(plan))
}

/** Holds a table until it is disposed of. */
async function locked(
  pool: Pool,
  table: 'zanzibar_store' | 'zanzibar_tuple',
): Promise<AsyncDisposable & { isWaitedFor(): Promise<boolean> }> {
  const holder = await pool.connect()
  await holder.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
  return {
    async isWaitedFor() {
      const { rows } = await holder.query(
        `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = '${table}'::regclass`,
      )
      return rows.length > 0
    },
    async [Symbol.asyncDispose]() {
      await holder.query('COMMIT')
      holder.release()
    },
  }
}
