import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { check } from '../../src/graph/check.ts'
import type { Scope } from '../../src/graph/tuple-reader.ts'
import type { TupleKey } from '../../src/tuple/tuple.ts'
import { assertMeeting } from '../random/assert-meeting.ts'
import { deepCase } from '../random/deep-case.ts'
import { objectTypes, type RandomCase, randomCase, relationNames, userIds } from '../random/random-model.ts'
import { FetchedSnapshot } from './array-snapshot.ts'
import { type Naive, naiveCheck, TooLong } from './naive-check.ts'
import { scopeOf } from './random-scope.ts'

const questions: readonly TupleKey[] = objectTypes.flatMap((type) =>
  relationNames.flatMap((relation) =>
    ['user:1', 'user:*', 'group:1#a'].flatMap((user) =>
      userIds.slice(0, 2).map((id) => ({ user, relation, object: `${type}:${id}` })),
    ),
  ),
)

async function outcomeOf(scope: Scope, key: TupleKey): Promise<'yes' | 'no' | 'failed' | 'deep'> {
  const { allowed, error } = await check(scope, key)
  if (error === undefined) return allowed ? 'yes' : 'no'
  return error.number === 2002 ? 'deep' : 'failed'
}

const plain = (outcome: Naive): Naive => (outcome === 'cycle' ? 'no' : outcome)

/** What the definition says, undefined where that takes too long to find out. */
function defined(given: RandomCase, key: TupleKey, depthLimit: number): Naive | undefined {
  try {
    return plain(naiveCheck({ ...given, depthLimit }, key))
  } catch (error) {
    if (error instanceof TooLong) return undefined
    throw error
  }
}

/** Compares every question of random cases, and says how many are allowed. */
async function compare(conditions: boolean, depthLimit: number, numRuns: number): Promise<number> {
  const seen: Record<string, number> = {}
  await fc.assert(
    fc.asyncProperty(randomCase(conditions), async (given) => {
      const scope = scopeOf(given, depthLimit)
      for (const key of questions) {
        const naive = defined(given, key, depthLimit)
        // Ours may take long as well, or refuse: that is looked at apart.
        if (naive === undefined) continue
        seen[naive] = (seen[naive] ?? 0) + 1
        expect({ key, outcome: await outcomeOf(scope, key) }).toEqual({ key, outcome: naive })
      }
    }),
    { numRuns },
  )
  return seen['yes'] ?? 0
}

const unlimited = Number.POSITIVE_INFINITY

const deep = fc.integer({ min: 1, max: 7 }).chain((limit) => fc.tuple(fc.constant(limit), deepCase(limit)))

describe('a check', () => {
  test('is what it is defined to be', async () => {
    expect(await compare(false, unlimited, 40)).toBeGreaterThan(40)
  })
  test('with conditions is what it is defined to be', async () => {
    expect(await compare(true, unlimited, 40)).toBeGreaterThan(40)
  })
  test('with a limit of depth is what it is defined to be', async () => {
    expect(await compare(false, 4, 40)).toBeGreaterThan(40)
  })

  test('along one relation counts levels at its limit, and steps elsewhere', async () => {
    const seen: Record<string, number> = {}
    const property = fc.asyncProperty(deep, async ([depthLimit, given]) => {
      const scope = scopeOf(given, depthLimit)
      for (const key of given.questions) {
        const naive = defined(given, key, depthLimit)
        if (naive === undefined) continue
        seen[naive] = (seen[naive] ?? 0) + 1
        expect({ key, outcome: await outcomeOf(scope, key) }).toEqual({ key, outcome: naive })
        const fetched = { ...scope, snapshot: new FetchedSnapshot(given.tuples) }
        expect({ key, outcome: await outcomeOf(fetched, key) }).toEqual({ key, outcome: naive })
      }
    })
    await assertMeeting(property, {
      numRuns: 60,
      met: () => (seen['deep'] ?? 0) > 100 && (seen['yes'] ?? 0) > 100,
    })
    expect(seen).toMatchObject({ yes: expect.any(Number), no: expect.any(Number), deep: expect.any(Number) })
  })

  test('of fetched tuples is the same, in as many fetches as it has levels', async () => {
    await fc.assert(
      fc.asyncProperty(randomCase(true), async (given) => {
        const scope = scopeOf(given, 25)
        for (const key of questions.slice(0, 12)) {
          const snapshot = new FetchedSnapshot(given.tuples)
          const fetched = await outcomeOf({ ...scope, snapshot }, key)
          expect({ key, fetched }).toEqual({ key, fetched: await outcomeOf(scope, key) })
          expect(snapshot.fetches).toBeLessThanOrEqual(27)
        }
      }),
      { numRuns: 20 },
    )
  })
})
