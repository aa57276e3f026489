import { skipWithout } from '@loadbearing/harness/services'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { check } from '../../src/graph/check.ts'
import { firstOfChecks, firstOfList } from '../../src/graph/first-reads.ts'
import { listObjects } from '../../src/graph/list-objects.ts'
import type { Read, Snapshot } from '../../src/store/snapshot.ts'
import type { TupleStore } from '../../src/store/tuple-store.ts'
import { scopeOf } from '../engine/random-scope.ts'
import { objectTypes, type RandomCase, randomCase, relationNames } from '../random/random-model.ts'
import { openTestStore } from './open-test-store.ts'

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

const sorted = (tuples: readonly object[]): readonly string[] =>
  tuples.map((tuple) => JSON.stringify(tuple)).toSorted()

/** Of all that a snapshot has at hand, how much there is; it must be what was written. */
function compareAll(snapshot: Snapshot, plain: Snapshot): number {
  let known = 0
  for (const read of reads) {
    const found = snapshot.at(read)
    if (found === undefined) continue
    known++
    const all = sorted((plain.at(read) ?? []).map((tuple) => ({ ...tuple })))
    const given = sorted(
      found.map(({ user, relation, object, condition }) => ({
        object,
        relation,
        user,
        ...(condition && { condition }),
      })),
    )
    if ('limit' in read)
      expect({ read, count: given.length }).toEqual({ read, count: Math.min(all.length, 2) })
    else expect({ read, given }).toEqual({ read, given: all })
  }
  return known
}

async function compareCase(
  store: TupleStore,
  given: RandomCase,
): Promise<{ known: number; fetches: number }> {
  const { id } = await store.createStore('onward')
  await store.write(id, { writes: given.tuples })
  const plain = scopeOf(given, Number.POSITIVE_INFINITY)
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
      const { allowed, error } = await ask(
        () => firstOfChecks(undefined, [(snapshot) => ({ scope: { ...plain, snapshot }, key })]),
        (snapshot) => check({ ...plain, snapshot }, key),
      )
      const wanted = await check(plain, key)
      expect({ key, allowed, error: error?.number }).toEqual({
        key,
        allowed: wanted.allowed,
        error: wanted.error?.number,
      })
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

describe.skipIf(skipWithout('postgres'))('what PostgreSQL brings along', () => {
  test('is what was written, and answers as without it', async () => {
    await using opened = await openTestStore('postgres')
    let known = 0
    let fetches = 0
    let cases = 0
    for (const conditions of [false, true]) {
      await fc.assert(
        fc.asyncProperty(randomCase(conditions), async (given) => {
          const counted = await compareCase(opened.store, { ...given, contextualTuples: [] })
          known += counted.known
          fetches += counted.fetches
          cases++
        }),
        { numRuns: 40 },
      )
    }
    expect(known).toBeGreaterThan(cases * 100)
    // Twelve questions a case: most of them need no other round trip.
    expect(fetches).toBeLessThan(cases * 6)
  })
})
