import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sqliteStore } from '../../src/adapters/sqlite.ts'
import { check } from '../../src/graph/check.ts'
import type { Scope } from '../../src/graph/tuple-reader.ts'
import { memoryStore, parseModel, type TupleStore } from '../../src/index.ts'
import { typeSystem } from '../../src/model/type-system.ts'
import { realClock } from '../../src/ports.ts'
import type { Snapshot } from '../../src/store/snapshot.ts'
import type { Tuple, TupleCondition } from '../../src/tuple/tuple.ts'
import { readProblem } from '../../src/tuple/validity.ts'
import { assertMeeting } from '../random/assert-meeting.ts'
import { arraySnapshot, FetchedSnapshot } from './array-snapshot.ts'
import { naiveCheck } from './naive-check.ts'
import { condition } from './random-scope.ts'

// Wide ways, of which those to `viewer` and `reader` of folders and groups end there: they may be met from the user's side.
const model = parseModel(`model
  schema 1.1
type user
type robot
type group
  relations
    define member: [user, user:*, user with holds, user with never]
    define nested: [user, group#nested]
    define lead: [user] or deputy
    define deputy: [user]
    define staff: [user, group#member, group#member with never]
    define loop: [user] or loop2
    define loop2: loop
type folder
  relations
    define owner: [user, user:* with holds]
    define viewer: [user with holds, robot]
    define reader: viewer or owner
    define strict: reader but not hidden
    define hidden: [user]
type shelf
  relations
    define owner: [robot]
type doc
  relations
    define inside: [folder]
    define on: [folder, shelf]
    define at: [folder with holds, folder with never, folder]
    define read: reader from inside
    define own: owner from on
    define limited: reader from at
    define strict: strict from inside
    define team: [user, group#member, group#lead]
    define nest: [group#nested]
    define crew: [group#staff]
    define looped: [group#loop]
    define kept: team but not looped
    define both: read and team
    define but: team but not own
    define some: read or team or nest
condition holds(x: string) {
  x != ''
}
condition never(x: string) {
  x == ''
}`)

const width = 80
const ids = Array.from({ length: width }, (_, at) => String(at))
const conditions: fc.Arbitrary<TupleCondition | undefined> = fc.constantFrom(
  undefined,
  { name: 'holds', context: { x: 'x' } },
  { name: 'holds' },
  { name: 'holds' },
  { name: 'never', context: { x: 'x' } },
)
/** A few, some or nearly all of the ends. */
const ends = fc.oneof(
  fc.subarray(ids, { maxLength: 3 }),
  fc.subarray(ids, { maxLength: width }),
  fc.subarray(ids, { minLength: 60 }),
)

/** Tuples from `users` to `objects`, `*` standing for each of some ends. */
function wide(user: string, relation: string, object: string): fc.Arbitrary<readonly Tuple[]> {
  return fc.tuple(ends, conditions, fc.constantFrom(0, 3, width)).map(([each, bound, from]) =>
    each.map((id, at) => ({
      user: user.replace('%', id),
      relation,
      object: object.replace('%', id),
      condition: at < from ? undefined : bound,
    })),
  )
}

const shapes = [
  wide('folder:%', 'inside', 'doc:1'),
  wide('folder:%', 'on', 'doc:1'),
  wide('shelf:%', 'on', 'doc:1'),
  wide('folder:%', 'at', 'doc:1'),
  wide('group:%#member', 'team', 'doc:1'),
  wide('group:%#lead', 'team', 'doc:1'),
  wide('group:%#nested', 'nest', 'doc:1'),
  wide('group:%#staff', 'crew', 'doc:1'),
  wide('group:%#loop', 'looped', 'doc:1'),
  wide('group:1#member', 'staff', 'group:%'),
  wide('group:%#nested', 'nested', 'group:1'),
  wide('user:a', 'owner', 'folder:%'),
  wide('user:*', 'owner', 'folder:%'),
  wide('user:a', 'viewer', 'folder:%'),
  wide('user:a', 'hidden', 'folder:%'),
  wide('user:a', 'member', 'group:%'),
  wide('user:*', 'member', 'group:%'),
  wide('user:a', 'nested', 'group:%'),
  wide('user:a', 'loop', 'group:%'),
  wide('user:a', 'lead', 'group:%'),
  wide('user:a', 'deputy', 'group:%'),
  wide('robot:a', 'owner', 'shelf:%'),
]
const relations = [
  'read',
  'own',
  'limited',
  'strict',
  'team',
  'nest',
  'crew',
  'looped',
  'kept',
  'both',
  'but',
  'some',
]
const users = ['user:a', 'user:b', 'user:*', 'robot:a', 'group:1#member', 'folder:1#reader']

interface Given {
  readonly stored: readonly Tuple[]
  readonly contextualTuples: readonly Tuple[]
  readonly isGiven: boolean
  readonly depthLimit: number
}

const types = (['openfga-v1', 'openfga-v2'] as const).map((semantics) =>
  typeSystem(model, ({ name }) => condition(name), semantics),
)

function unique(tuples: readonly Tuple[]): readonly Tuple[] {
  return [...new Map(tuples.map((each) => [`${each.object}#${each.relation}@${each.user}`, each])).values()]
}

/** Some of the shapes, each once. */
const tuples = fc
  .shuffledSubarray(shapes, { minLength: 4 })
  .chain((some) => fc.tuple(...some))
  .map((parts) => unique(parts.flat()))

const given: fc.Arbitrary<Given> = fc.record({
  stored: tuples,
  contextualTuples: fc.oneof(
    fc.constant([]),
    fc
      .tuple(tuples, fc.subarray(ids, { maxLength: 9 }))
      .map(([all, few]) => all.filter((_, at) => few.includes(String(at)))),
  ),
  isGiven: fc.boolean(),
  depthLimit: fc.constantFrom(1, 2, 3, 25, Number.POSITIVE_INFINITY),
})

type Outcome = 'yes' | 'no' | 'failed' | 'deep'

async function outcomeOf(scope: Scope, user: string, relation: string): Promise<Outcome> {
  const { allowed, error } = await check(scope, { user, relation, object: 'doc:1' })
  if (error === undefined) return allowed ? 'yes' : 'no'
  return error.number === 2002 ? 'deep' : 'failed'
}

/** Asks everything of a snapshot, and says how often each came. */
async function compare(
  snapshot: () => Snapshot,
  stored: readonly Tuple[],
  { contextualTuples, isGiven, depthLimit }: Given,
  seen: Map<Outcome, number>,
): Promise<void> {
  const [v1, v2] = types
  if (v1 === undefined || v2 === undefined) throw new TypeError('no types')
  const counting = (tuple: Tuple): boolean => readProblem(v1, tuple) === undefined
  const context = isGiven ? { x: 'z' } : {}
  const valid = contextualTuples.filter(counting)
  const asked = { context, contextualTuples: valid, depthLimit, maxConditionCost: 100 }
  for (const user of users) {
    for (const relation of relations) {
      const key = { user, relation, object: 'doc:1' }
      const known = { model, tuples: stored.filter(counting), contextualTuples: valid, context, depthLimit }
      const naive = naiveCheck(known, key)
      const wanted = naive === 'cycle' ? 'no' : naive
      const got = await outcomeOf({ ...asked, types: v1, snapshot: snapshot() }, user, relation)
      expect({ key, got }).toEqual({ key, got: wanted })
      seen.set(got, (seen.get(got) ?? 0) + 1)
      // Of plain users v2 is defined too, where no error is hidden by its groups.
      const naiveV2 = naiveCheck({ ...known, semantics: 'openfga-v2' }, key)
      if (
        [wanted, naiveV2].includes('failed') ||
        depthLimit !== Number.POSITIVE_INFINITY ||
        !/^user:[ab]$/.test(user)
      )
        continue
      if (relation === 'own') continue
      const second = await outcomeOf({ ...asked, types: v2, snapshot: snapshot() }, user, relation)
      expect({ key, second }).toEqual({ key, second: naiveV2 })
    }
  }
}

describe('a check along wide ways is what it is defined to be', () => {
  test('of tuples that are fetched', async () => {
    const seen = new Map<Outcome, number>()
    await assertMeeting(
      fc.asyncProperty(given, (each) =>
        compare(() => new FetchedSnapshot(each.stored), each.stored, each, seen),
      ),
      { numRuns: 25, met: () => (seen.get('yes') ?? 0) > 0 && (seen.get('no') ?? 0) > 0 },
    )
    for (const outcome of ['yes', 'no'] as const) expect(seen.get(outcome)).toBeGreaterThan(0)
  })

  test('where a contextual tuple hides a stored one', async () => {
    const [v1] = types
    if (v1 === undefined) throw new TypeError('no types')
    const mine = { user: 'user:a', relation: 'member', object: 'group:1' }
    const stored = [
      mine,
      ...ids.map((id) => ({ user: `group:${id}#member`, relation: 'team', object: 'doc:1' })),
    ]
    const hidden = { ...mine, condition: { name: 'never', context: { x: 'x' } } }
    const scope = { types: v1, snapshot: new FetchedSnapshot(stored), depthLimit: 25, maxConditionCost: 100 }
    expect(await outcomeOf(scope, 'user:a', 'team')).toBe('yes')
    expect(await outcomeOf({ ...scope, contextualTuples: [hidden] }, 'user:a', 'team')).toBe('no')
  })

  test('where a contextual tuple of a userset hides a stored one', async () => {
    const [, v2] = types
    if (v2 === undefined) throw new TypeError('no types')
    const mine = { user: 'group:9#member', relation: 'staff', object: 'group:0' }
    const hidden = { ...mine, condition: { name: 'never', context: { x: 'x' } } }
    for (const count of [3, width]) {
      // The last one is asked for when all that it was assigned is known.
      const teams = ids.slice(0, count).toReversed()
      const stored = [
        mine,
        ...teams.map((id) => ({ user: `group:${id}#staff`, relation: 'crew', object: 'doc:1' })),
      ]
      const depthLimit = Number.POSITIVE_INFINITY
      const scope = { types: v2, snapshot: arraySnapshot(stored), depthLimit, maxConditionCost: 100 }
      expect(await outcomeOf(scope, mine.user, 'crew')).toBe('yes')
      expect(await outcomeOf({ ...scope, contextualTuples: [hidden] }, mine.user, 'crew')).toBe('no')
    }
  })

  test('where a condition cannot be told, and only where it decides', async () => {
    const [v1] = types
    if (v1 === undefined) throw new TypeError('no types')
    const viewer = (id: string, context?: { readonly x: string }): Tuple => ({
      user: 'user:a',
      relation: 'viewer',
      object: `folder:${id}`,
      condition: { name: 'holds', ...(context && { context }) },
    })
    const parents = ids.map((id) => ({ user: `folder:${id}`, relation: 'inside', object: 'doc:1' }))
    const outcome = (...assigned: readonly Tuple[]): Promise<Outcome> => {
      const snapshot = arraySnapshot([...parents, ...assigned])
      return outcomeOf({ types: v1, snapshot, depthLimit: 25, maxConditionCost: 100 }, 'user:a', 'read')
    }
    expect(await outcome(viewer('5'))).toBe('failed')
    expect(await outcome(viewer('5'), viewer('70', { x: 'x' }))).toBe('yes')
    expect(await outcome(viewer('elsewhere'))).toBe('no')
  })

  test('for who was assigned more than is read at once', async () => {
    await using store = sqliteStore({ path: ':memory:' })
    const { id } = await store.createStore('much')
    const member = (object: string): Tuple => ({ user: 'user:a', relation: 'member', object })
    const team = (group: string): Tuple => ({ user: `${group}#member`, relation: 'team', object: 'doc:1' })
    const [v1] = types
    if (v1 === undefined) throw new TypeError('no types')
    await store.write(id, {
      writes: [
        ...ids.flatMap((each) => [member(`group:elsewhere-${each}`), team(`group:${each}`)]),
        team('group:last'),
      ],
    })
    const outcome = (): Promise<Outcome> =>
      outcomeOf(
        { types: v1, snapshot: store.snapshot(id), depthLimit: 25, maxConditionCost: 100 },
        'user:a',
        'team',
      )
    expect(await outcome()).toBe('no')
    // The last one by name, as SQLite reads them.
    await store.write(id, { writes: [member('group:last')] })
    expect(await outcome()).toBe('yes')
  })

  test.each([
    ['memory', (now: () => number): TupleStore => memoryStore({ clock: { ...realClock, now } })],
    [
      'SQLite',
      (now: () => number): TupleStore => sqliteStore({ path: ':memory:', clock: { ...realClock, now } }),
    ],
  ] as const)('of %s, at moments among writes, deletions and expiries', async (_, open) => {
    const seen = new Map<Outcome, number>()
    await assertMeeting(
      fc.asyncProperty(given, tuples, fc.subarray(ids), async (each, later, some) => {
        let time = 1000
        await using store = open(() => time)
        const { id } = await store.createStore('wide')
        await store.write(id, {
          writes: each.stored.map((tuple, at) => (at % 7 === 3 ? { ...tuple, expiresAt: 1005 } : tuple)),
        })
        const isChosen = (_each: Tuple, at: number): boolean => some.includes(String(at % width))
        const before = store.snapshot(id)
        const gone = each.stored.filter(isChosen)
        const left = each.stored.filter((tuple) => !gone.includes(tuple))
        const news = later.filter(
          (tuple) =>
            !left.some(
              (known) =>
                known.user === tuple.user &&
                known.relation === tuple.relation &&
                known.object === tuple.object,
            ),
        )
        await store.write(id, { deletes: gone, writes: news })
        await compare(() => before as Snapshot, each.stored, each, seen)
        time = 1006
        const isThere = (tuple: Tuple): boolean => each.stored.indexOf(tuple) % 7 !== 3
        await compare(() => store.snapshot(id) as Snapshot, [...left.filter(isThere), ...news], each, seen)
      }),
      { numRuns: 8, met: () => (seen.get('no') ?? 0) > 0 },
    )
    expect(seen.get('no')).toBeGreaterThan(0)
  })
})
