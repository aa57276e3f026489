import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isZanzibarError } from '../../src/errors.ts'
import { check } from '../../src/graph/check.ts'
import { type ListedUsers, listUsers, listUsersUntil } from '../../src/graph/list-users.ts'
import type { Scope } from '../../src/graph/tuple-reader.ts'
import { assertMeeting } from '../random/assert-meeting.ts'
import { objectTypes, type RandomCase, randomCase, relationNames, userIds } from '../random/random-model.ts'
import { FetchedSnapshot, StoppingSnapshot } from './array-snapshot.ts'
import { naiveCheck, TooLong } from './naive-check.ts'
import { scopeOf } from './random-scope.ts'

interface Request {
  readonly object: string
  readonly relation: string
}

const requests: readonly Request[] = objectTypes.flatMap((type) =>
  relationNames.flatMap((relation) => ['1', '2'].map((id) => ({ object: `${type}:${id}`, relation }))),
)

/** Users that tuples name, and one that none does. */
const users = ['user:1', 'user:2', 'user:3', 'user:99']
const usersets = ['group:1#a', 'group:2#a', 'group:3#a']

/** Undefined where it is too complex to be told. */
async function told<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (isZanzibarError(error)) return undefined
    throw error
  }
}

async function allowed(
  scope: Scope,
  among: readonly string[],
  request: Request,
): Promise<readonly string[] | undefined> {
  const found: string[] = []
  for (const user of among) {
    const decision = await told(async () => check(scope, { user, ...request }))
    if (decision === undefined || decision.error !== undefined) return undefined
    if (decision.allowed) found.push(user)
  }
  return found
}

function hasUser({ users: named, everyone, except }: ListedUsers, user: string): boolean {
  return named.includes(user) || (everyone && !except.includes(user))
}

/** Whether a cycle denies a user anything, or it takes too long to tell. */
function isDenied(given: RandomCase, user: string): boolean {
  const objects = objectTypes.flatMap((type) => userIds.map((id) => `${type}:${id}`))
  try {
    return objects.some((object) =>
      relationNames.some(
        (relation) =>
          naiveCheck({ ...given, depthLimit: Number.POSITIVE_INFINITY }, { user, relation, object }) ===
          'cycle',
      ),
    )
  } catch (error) {
    if (error instanceof TooLong) return true
    throw error
  }
}

describe('a list of users', () => {
  test('says of every user what a check says', async () => {
    let seen = 0
    await fc.assert(
      fc.asyncProperty(randomCase(false), async (given) => {
        const scope = scopeOf(given, Number.POSITIVE_INFINITY)
        for (const request of requests) {
          const expected = await allowed(scope, users, request)
          const listed = await told(async () => listUsers(scope, { ...request, filter: { type: 'user' } }))
          if (expected === undefined || listed === undefined) continue
          seen += expected.length
          const wrong = users.filter((user) => hasUser(listed, user) !== expected.includes(user))
          // Of a user of everyone a check may say otherwise where a cycle denies somebody something: see the README.
          const known = wrong.filter(
            (user) => !listed.users.includes(user) && ['user:*', user].some((each) => isDenied(given, each)),
          )
          expect({ request, wrong }).toEqual({ request, wrong: known })
        }
      }),
      { numRuns: 30 },
    )
    expect(seen).toBeGreaterThan(30)
  })

  test('of usersets names none that a check denies', async () => {
    await fc.assert(
      fc.asyncProperty(randomCase(false, 'layered'), async (given) => {
        const scope = scopeOf(given, Number.POSITIVE_INFINITY)
        const filter = { type: 'group', relation: 'a' }
        for (const request of requests) {
          const expected = await allowed(scope, usersets, request)
          const listed = await told(async () => listUsers(scope, { ...request, filter }))
          if (expected === undefined || listed === undefined) continue
          const unsound = listed.users.filter((user) => !expected.includes(user))
          expect({ request, unsound }).toEqual({ request, unsound: [] })
        }
      }),
      { numRuns: 30 },
    )
  })

  test('of fetched tuples is the same, in as many fetches as it has levels', async () => {
    await fc.assert(
      fc.asyncProperty(randomCase(true, 'layered'), async (given) => {
        const scope = scopeOf(given, 25)
        for (const request of requests.slice(0, 9)) {
          const snapshot = new FetchedSnapshot(given.tuples)
          const filter = { type: 'user' }
          const fetched = await told(async () => listUsers({ ...scope, snapshot }, { ...request, filter }))
          const local = await told(async () => listUsers(scope, { ...request, filter }))
          expect({ request, fetched: sorted(fetched) }).toEqual({ request, fetched: sorted(local) })
          expect(snapshot.fetches).toBeLessThanOrEqual(25)
        }
      }),
      { numRuns: 15 },
    )
  })

  test('that ends early has none that the whole one has not', async () => {
    let shorter = 0
    let some = 0
    await assertMeeting(
      fc.asyncProperty(
        randomCase(false, 'layered'),
        fc.nat(4),
        fc.constantFrom({ type: 'user' }, { type: 'group', relation: 'a' }),
        async (given, fetches, filter) => {
          const scope = scopeOf(given, 25)
          for (const request of requests) {
            const whole = await told(async () => listUsers(scope, { ...request, filter }))
            if (whole === undefined) continue
            const snapshot = new StoppingSnapshot(given.tuples, fetches)
            const { stopped } = snapshot
            const found = await listUsersUntil(
              { ...scope, snapshot },
              { ...request, filter },
              { signal: stopped, isOver: () => stopped.aborted },
            )
            const more = found.users.filter((user) => !hasUser(whole, user))
            expect({ request, more }).toEqual({ request, more: [] })
            expect(whole.everyone || !found.everyone).toBe(true)
            if (!stopped.aborted) expect(sorted(found)).toEqual(sorted(whole))
            if (found.users.length < whole.users.length) {
              shorter++
              some += found.users.length
            }
          }
        },
      ),
      { numRuns: 60, met: () => shorter > 0 && some > 0 },
    )
    expect(shorter).toBeGreaterThan(0)
    expect(some).toBeGreaterThan(0)
  })
})

function sorted(listed: ListedUsers | undefined): ListedUsers | undefined {
  return listed && { ...listed, users: listed.users.toSorted(), except: listed.except.toSorted() }
}
