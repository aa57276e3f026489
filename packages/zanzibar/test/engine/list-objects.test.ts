import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isZanzibarError } from '../../src/errors.ts'
import { check } from '../../src/graph/check.ts'
import { type ListObjectsRequest, listObjects, objectsAsFound } from '../../src/graph/list-objects.ts'
import type { Scope } from '../../src/graph/tuple-reader.ts'
import { assertMeeting } from '../random/assert-meeting.ts'
import { objectTypes, randomCase, relationNames } from '../random/random-model.ts'
import { FetchedSnapshot, StoppingSnapshot } from './array-snapshot.ts'
import { scopeOf } from './random-scope.ts'

const requests: readonly ListObjectsRequest[] = objectTypes.flatMap((type) =>
  relationNames.flatMap((relation) =>
    ['user:1', 'user:*', 'group:1#a'].map((user) => ({ user, type, relation })),
  ),
)

/** Every object that there is, checked; undefined where a check cannot be told. */
async function checkEach(
  scope: Scope,
  { user, type, relation }: ListObjectsRequest,
): Promise<string[] | undefined> {
  const objects: string[] = []
  for (const id of ['1', '2', '3']) {
    const object = `${type}:${id}`
    try {
      const { allowed, error } = await check(scope, { user, relation, object })
      if (error !== undefined) return undefined
      if (allowed) objects.push(object)
    } catch (error) {
      if (isZanzibarError(error)) return undefined
      throw error
    }
  }
  return objects
}

async function listed(scope: Scope, request: ListObjectsRequest): Promise<string[] | undefined> {
  try {
    return (await listObjects(scope, request)).toSorted()
  } catch (error) {
    if (isZanzibarError(error)) return undefined
    throw error
  }
}

describe('a list of objects', () => {
  test('has every object that a check allows, once, and no other', async () => {
    let told = 0
    await fc.assert(
      fc.asyncProperty(randomCase(false), async (given) => {
        const scope = scopeOf(given, Number.POSITIVE_INFINITY)
        for (const request of requests) {
          const expected = await checkEach(scope, request)
          if (expected === undefined) continue
          told += expected.length
          expect({ request, objects: await listed(scope, request) }).toEqual({ request, objects: expected })
        }
      }),
      { numRuns: 30 },
    )
    expect(told).toBeGreaterThan(30)
  })

  test('with conditions has what checks allow, unless one on the way cannot be told', async () => {
    await fc.assert(
      fc.asyncProperty(randomCase(true), async (given) => {
        const scope = scopeOf(given, Number.POSITIVE_INFINITY)
        for (const request of requests) {
          const expected = await checkEach(scope, request)
          const objects = await listed(scope, request)
          if (expected === undefined || objects === undefined) continue
          expect({ request, objects }).toEqual({ request, objects: expected })
        }
      }),
      { numRuns: 25 },
    )
  })

  test('of fetched tuples is the same', async () => {
    await fc.assert(
      fc.asyncProperty(randomCase(true), async (given) => {
        const scope = scopeOf(given, 25)
        for (const request of requests.slice(0, 9)) {
          const snapshot = new FetchedSnapshot(given.tuples)
          const fetched = await listed({ ...scope, snapshot }, request)
          expect({ request, fetched }).toEqual({ request, fetched: await listed(scope, request) })
        }
      }),
      { numRuns: 8 },
    )
  })

  test('in parts is the same, without anything twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        randomCase(true),
        fc.constantFrom(25, Number.POSITIVE_INFINITY),
        async (given, depth) => {
          const scope = scopeOf(given, depth)
          for (const request of requests) {
            const parts = await inParts(scope, request)
            expect({ request, parts }).toEqual({ request, parts: await listed(scope, request) })
          }
        },
      ),
      { numRuns: 20 },
    )
  })

  test('that is given up has said nothing that the whole one does not say', async () => {
    let said = 0
    await assertMeeting(
      fc.asyncProperty(randomCase(false, 'layered'), fc.nat(4), async (given, fetches) => {
        const scope = scopeOf(given, 25)
        for (const request of requests) {
          const whole = (await listed(scope, request)) ?? []
          const snapshot = new StoppingSnapshot(given.tuples, fetches)
          const some: string[] = []
          try {
            const parts = objectsAsFound({ ...scope, snapshot }, request, snapshot.stopped)
            for await (const part of parts) some.push(...part)
          } catch (error) {
            if (!isZanzibarError(error)) throw error
          }
          if (snapshot.stopped.aborted) said += some.length
          expect({ request, more: some.filter((each) => !whole.includes(each)) }).toEqual({
            request,
            more: [],
          })
        }
      }),
      { numRuns: 60, met: () => said > 0 },
    )
    expect(said).toBeGreaterThan(0)
  })
})

async function inParts(scope: Scope, request: ListObjectsRequest): Promise<string[] | undefined> {
  const objects: string[] = []
  try {
    for await (const part of objectsAsFound(scope, request)) objects.push(...part)
    return objects.toSorted()
  } catch (error) {
    if (isZanzibarError(error)) return undefined
    throw error
  }
}
