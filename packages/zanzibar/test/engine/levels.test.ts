import { describe, expect, test } from 'vitest'
import { check } from '../../src/graph/check.ts'
import { compileCondition, parseModel } from '../../src/index.ts'
import { typeSystem } from '../../src/model/type-system.ts'
import type { Tuple } from '../../src/tuple/tuple.ts'
import { arraySnapshot } from './array-snapshot.ts'

// Recorded of OpenFGA v1.22.1: each question asked six times.
const types = typeSystem(
  parseModel(`model
  schema 1.1
type user
type robot
  relations
    define owner: [robot]
type group
  relations
    define member: [user, user:*, group#member, robot#owner]
type folder
  relations
    define parent: [folder]
    define boss: [robot]
    define editor: [user, robot#owner]
    define viewer: [user] or editor or viewer from parent or owner from boss
type doc
  relations
    define top: [folder]
    define banned: [user]
    define viewer: viewer from top
    define less: banned but not viewer
    define rather: viewer but not banned
type step
  relations
    define a: [step#b, group#member, folder#viewer]
    define b: [step#a, group#member, folder#viewer]
`),
  compileCondition,
)

const tuple = (object: string, relation: string, user: string): Tuple => ({ object, relation, user })
const both = (from: number | string, to: number | string): Tuple[] => [
  tuple(`group:${from}`, 'member', `group:${to}#member`),
  tuple(`folder:${from}`, 'parent', `folder:${to}`),
]
/** Groups and folders in one line, and `user:in` in others. */
function line(length: number, ...others: readonly Tuple[]): Tuple[] {
  const links = Array.from({ length }, (_, at) => both(at, at + 1)).flat()
  const apart = [tuple('group:apart', 'member', 'user:in'), tuple('folder:apart', 'viewer', 'user:in')]
  return [...links, ...apart, ...others]
}
const assigned = (at: number): Tuple[] => [
  tuple(`group:${at}`, 'member', 'user:a'),
  tuple(`folder:${at}`, 'viewer', 'user:a'),
]

async function outcomeOf(
  tuples: readonly Tuple[],
  user: string,
  relation: string,
  object: string,
): Promise<boolean | number> {
  const scope = { types, snapshot: arraySnapshot(tuples), depthLimit: 25, maxConditionCost: 100 }
  const { allowed, error } = await check(scope, { user, relation, object })
  return error?.number ?? allowed
}

describe.each([
  ['usersets', 'member', 'group:0'],
  ['parents', 'viewer', 'folder:0'],
])('along %s', (_, relation, object) => {
  test.each([
    [24, true],
    [25, true],
    [26, 2002],
  ])('who is assigned %i away is %s', async (away, outcome) => {
    expect(await outcomeOf(line(40, ...assigned(away)), 'user:a', relation, object)).toBe(outcome)
  })

  test.each([
    [22, false],
    [23, false],
    [24, 2002],
    [25, 2002],
  ])('who is assigned elsewhere is, along a line of %i, %s', async (length, outcome) => {
    expect(await outcomeOf(line(length), 'user:in', relation, object)).toBe(outcome)
  })

  test.each([24, 25, 40])('who is assigned nowhere is denied along a line of %i', async (length) => {
    expect(await outcomeOf(line(length), 'user:none', relation, object)).toBe(false)
    expect(await outcomeOf(line(length), 'user:*', relation, object)).toBe(false)
  })

  test.each([
    [22, false],
    [23, 2002],
    [25, 2002],
  ])(
    'where a line leads back to its beginning after %i, %s: that is followed once more',
    async (around, outcome) => {
      const ring = line(around - 1, ...both(around - 1, 0))
      expect(await outcomeOf(ring, 'user:in', relation, object)).toBe(outcome)
      expect(await outcomeOf(ring, 'user:none', relation, object)).toBe(false)
    },
  )

  test('the shortest of all ways counts', async () => {
    const ways = line(40, ...both(0, 30), ...assigned(40))
    expect(await outcomeOf(ways, 'user:a', relation, object)).toBe(true)
  })
})

test('what leads nowhere is of a level among usersets, and neither of one nor a step beside parents', async () => {
  const last = [
    tuple('group:23', 'member', 'robot:1#owner'),
    tuple('folder:23', 'boss', 'robot:1'),
    tuple('folder:23', 'editor', 'robot:1#owner'),
  ]
  expect(await outcomeOf(line(23, ...last), 'user:in', 'member', 'group:0')).toBe(2002)
  expect(await outcomeOf(line(23, ...last), 'user:none', 'member', 'group:0')).toBe(false)
  expect(await outcomeOf(line(23, ...last), 'user:in', 'viewer', 'folder:0')).toBe(false)
})

test('steps to where a recursion begins count, and what leads nowhere from there', async () => {
  const steps = (length: number, last: string): Tuple[] =>
    Array.from({ length }, (_, at) =>
      tuple(
        `step:${at}`,
        at % 2 ? 'b' : 'a',
        at === length - 1 ? last : `step:${at + 1}#${at % 2 ? 'a' : 'b'}`,
      ),
    )
  const ways = line(
    1,
    tuple('folder:boss', 'boss', 'robot:1'),
    tuple('folder:editor', 'editor', 'robot:1#owner'),
  )
  const asked = (length: number, last: string, user = 'user:in'): Promise<boolean | number> =>
    outcomeOf([...ways, ...steps(length, last)], user, 'a', 'step:0')
  expect(await asked(22, 'group:0#member')).toBe(false)
  expect(await asked(23, 'group:0#member')).toBe(2002)
  expect(await asked(24, 'group:0#member')).toBe(2002)
  expect(await asked(24, 'group:0#member', 'user:none')).toBe(false)
  expect(await asked(24, 'folder:boss#viewer')).toBe(false)
  expect(await asked(24, 'folder:editor#viewer', 'user:none')).toBe(2002)
})

test('below another relation there is one level less, and what is taken away counts the same', async () => {
  const doc = tuple('doc:1', 'top', 'folder:0')
  const at = (away: number, relation: string, ...more: Tuple[]): Promise<boolean | number> =>
    outcomeOf(line(40, doc, ...assigned(away), ...more), 'user:a', relation, 'doc:1')
  const banned = tuple('doc:1', 'banned', 'user:a')
  expect(await at(24, 'viewer')).toBe(true)
  expect(await at(25, 'viewer')).toBe(2002)
  expect(await at(24, 'less', banned)).toBe(false)
  expect(await at(25, 'less', banned)).toBe(2002)
  expect(await at(25, 'rather', banned)).toBe(false)
})

test('a userset that asks is walked step by step, and a cycle is noticed', async () => {
  const usersets = typeSystem(
    parseModel(`model
  schema 1.1
type user
type group
  relations
    define banned: [user, group#banned]
type doc
  relations
    define banned: [user, group#banned]
    define viewer: [user, group#banned] but not banned
`),
    compileCondition,
  )
  const tuples = [
    tuple('group:1', 'banned', 'group:2#banned'),
    tuple('group:2', 'banned', 'group:1#banned'),
    tuple('doc:1', 'banned', 'group:1#banned'),
    tuple('doc:1', 'viewer', 'group:9#banned'),
    tuple('doc:1', 'viewer', 'user:a'),
  ]
  const scope = { types: usersets, snapshot: arraySnapshot(tuples), depthLimit: 25, maxConditionCost: 100 }
  const asked = { relation: 'viewer', object: 'doc:1' }
  expect(await check(scope, { ...asked, user: 'group:9#banned' })).toMatchObject({ allowed: false })
  expect(await check(scope, { ...asked, user: 'user:a' })).toMatchObject({ allowed: true })
})

describe('along usersets under conditions that cannot be told', () => {
  const conditional = typeSystem(
    parseModel(`model
  schema 1.1
type user
type group
  relations
    define member: [user, user with holds, group#member, group#member with holds]
condition holds(x: string) {
  x != ''
}`),
    compileCondition,
  )
  const untold = { condition: { name: 'holds' } }
  const to = (from: number, at: number): Tuple => tuple(`group:${from}`, 'member', `group:${at}#member`)

  // Recorded of OpenFGA v1.22.1, each asked twelve times.
  test.each<[string, readonly Tuple[], boolean | number]>([
    [
      'beyond the first level, who is assigned nowhere is denied',
      [to(1, 2), { ...to(2, 1), ...untold }],
      false,
    ],
    [
      'who is assigned elsewhere by what cannot be told fails',
      [to(1, 2), { ...tuple('group:3', 'member', 'user:a'), ...untold }],
      2000,
    ],
    [
      'that does not count where nothing is led to',
      [{ ...tuple('group:3', 'member', 'user:a'), ...untold }],
      false,
    ],
  ])('%s', async (_, tuples, expected) => {
    const scope = {
      types: conditional,
      snapshot: arraySnapshot(tuples),
      depthLimit: 25,
      maxConditionCost: 100,
    }
    const { allowed, error } = await check(scope, { user: 'user:a', relation: 'member', object: 'group:1' })
    expect(error?.number ?? allowed).toBe(expected)
  })
})
