import { describe, expect, test } from 'vitest'
import { listObjects } from '../../src/graph/list-objects.ts'
import { compileCondition, isZanzibarError, parseModel } from '../../src/index.ts'
import { typeSystem } from '../../src/model/type-system.ts'
import type { Tuple } from '../../src/tuple/tuple.ts'
import { arraySnapshot } from './array-snapshot.ts'

// Recorded of OpenFGA v1.22.1: each question asked six times and more.
const types = typeSystem(
  parseModel(`model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
    define wide: member
type folder
  relations
    define parent: [folder]
    define viewer: [user, user:*] or viewer from parent
`),
  compileCondition,
)

// Its relation leads back to itself through an exclusion: such models have no weighted graph.
const unweighted = typeSystem(
  parseModel(`model
  schema 1.1
type user
type folder
  relations
    define parent: [folder]
    define blocked: [user]
    define viewer: [user] or (viewer from parent but not blocked)
`),
  compileCondition,
)

const tuple = (object: string, relation: string, user: string): Tuple => ({ object, relation, user })
const groups = (length: number, ...more: readonly Tuple[]): Tuple[] => [
  ...Array.from({ length }, (_, at) => tuple(`group:${at + 1}`, 'member', `group:${at}#member`)),
  ...more,
]
const folders = (length: number, user: string): Tuple[] => [
  ...Array.from({ length }, (_, at) => tuple(`folder:${at + 1}`, 'parent', `folder:${at}`)),
  tuple('folder:0', 'viewer', user),
]

/** How many are listed, or the number of the error. */
async function listed(
  tuples: readonly Tuple[],
  [user, relation, type]: readonly [string, string, string],
  { of = types, depthLimit = 25 } = {},
): Promise<number | string> {
  const scope = { types: of, snapshot: arraySnapshot(tuples), depthLimit, maxConditionCost: 100 }
  try {
    return (await listObjects(scope, { user, relation, type })).length
  } catch (error) {
    if (isZanzibarError(error)) return String(error.number)
    throw error
  }
}

describe('where OpenFGA lists by walking back from the user it has its limit', () => {
  const members = ['group:0#member', 'member', 'group'] as const

  test('of tuples', async () => {
    expect(await listed(groups(25), members)).toBe(26)
    expect(await listed(groups(26), members)).toBe('2002')
    expect(await listed(groups(26), members, { depthLimit: Number.POSITIVE_INFINITY })).toBe(27)
  })

  test('of which a computed relation is one', async () => {
    expect(await listed(groups(24), ['group:0#member', 'wide', 'group'])).toBe(25)
    expect(await listed(groups(25), ['group:0#member', 'wide', 'group'])).toBe('2002')
  })

  test('and what leads back to the user counts once more', async () => {
    expect(await listed(groups(23, tuple('group:0', 'member', 'group:23#member')), members)).toBe(24)
    expect(await listed(groups(24, tuple('group:0', 'member', 'group:24#member')), members)).toBe('2002')
  })

  test('for everyone, not for somebody', async () => {
    expect(await listed(folders(24, 'user:*'), ['user:*', 'viewer', 'folder'])).toBe(25)
    expect(await listed(folders(25, 'user:*'), ['user:*', 'viewer', 'folder'])).toBe('2002')
    expect(await listed(folders(25, 'user:*'), ['user:a', 'viewer', 'folder'])).toBe(26)
  })

  test('for somebody too, where it has no weighted graph', async () => {
    const asked = ['user:a', 'viewer', 'folder'] as const
    expect(await listed(folders(24, 'user:a'), asked, { of: unweighted })).toBe(25)
    expect(await listed(folders(25, 'user:a'), asked, { of: unweighted })).toBe('2002')
  })
})
