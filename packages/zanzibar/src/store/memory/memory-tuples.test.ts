import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Clock, nextTurn, realClock } from '../../ports.ts'
import type { Read, Snapshot } from '../snapshot.ts'
import type { TupleToWrite, WriteRequest } from '../tuple-store.ts'
import { MemoryTuples } from './memory-tuples.ts'

function at(now: () => number): Clock {
  return { ...realClock, now }
}

const objects = ['doc:1', 'doc:2', 'doc:3']
const users = ['user:a', 'user:b', 'group:1#member']
const keys = objects.flatMap((object) => users.map((user) => ({ user, relation: 'viewer', object })))
const reads: readonly Read[] = [
  ...keys.map((key): Read => ({ kind: 'tuple', ...key })),
  ...objects.map((object): Read => ({ kind: 'users', object, relation: 'viewer' })),
  ...users.map((user): Read => ({ kind: 'objects', type: 'doc', relation: 'viewer', user })),
]
const history = 4

const request: fc.Arbitrary<WriteRequest> = fc
  .record({
    chosen: fc.subarray(keys, { maxLength: 4 }),
    deletes: fc.nat(4),
    expires: fc.boolean(),
    x: fc.nat(2),
  })
  .map(({ chosen, deletes, expires, x }) => ({
    deletes: chosen.slice(0, deletes),
    writes: chosen.slice(deletes).map(
      (key): TupleToWrite => ({
        ...key,
        condition: x === 0 ? undefined : { name: 'cc', context: { x } },
        expiresAt: expires ? 1000 + x : undefined,
      }),
    ),
    onMissing: 'ignore',
  }))
const step = fc.record({
  request,
  pins: fc.integer({ min: 0, max: 9 }).map((each) => each === 0),
  turn: fc.boolean(),
})

function writeTo(tuples: MemoryTuples, each: WriteRequest): unknown {
  try {
    return tuples.write(each)
  } catch (error) {
    return error instanceof Error ? error.message : error
  }
}

/** All that can be asked of it. */
function told(tuples: MemoryTuples): unknown {
  const afterRevision = Math.max(0, tuples.revision - history)
  const changes = tuples.changes({ afterRevision, limit: 100 })
  const page = tuples.read({}, { limit: 2 })
  const revisions = Array.from({ length: tuples.revision - afterRevision + 1 }, (_, each) => {
    const snapshot = tuples.snapshot(afterRevision + each)
    const answers = reads.map((read) => snapshot.at(read))
    snapshot.release()
    return answers
  })
  return {
    changes,
    later: tuples.changes({ after: changes[1]?.position, afterRevision, limit: 100 }),
    page,
    rest: tuples.read({}, { limit: 9, after: page.next }),
    revisions,
  }
}

/** Whatever was before: no pin is left, and enough is removed for a compaction. */
const forcing = Array.from({ length: 30 }, (_, each) => ({
  request: {
    [each % 2 === 0 ? 'writes' : 'deletes']: keys.slice(0, 1),
    onDuplicate: 'ignore',
    onMissing: 'ignore',
  } satisfies WriteRequest,
  pins: false,
  turn: true,
}))

it('answers the same, compacted or not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 60, maxLength: 80 }),
      fc.integer({ min: 1, max: 30 }),
      async (steps, part) => {
        let now = 0
        const tight = new MemoryTuples(
          1,
          at(() => now),
          history,
          3,
          part,
        )
        const loose = new MemoryTuples(
          2,
          at(() => now),
          history,
          Number.POSITIVE_INFINITY,
        )
        let pinned: readonly [Snapshot, Snapshot] | undefined
        const release = (): void => {
          for (const snapshot of pinned ?? []) snapshot.release()
        }
        for (const [index, each] of [...steps, ...forcing].entries()) {
          now++
          if (index === steps.length) {
            release()
            pinned = undefined
          }
          expect(writeTo(tight, each.request)).toEqual(writeTo(loose, each.request))
          if (each.pins) {
            release()
            pinned = pinned === undefined ? [tight.snapshot(), loose.snapshot()] : undefined
          }
          if (each.turn) await nextTurn()
          expect(told(tight)).toEqual(told(loose))
          const [a, b] = pinned ?? []
          expect(reads.map((read) => a?.at(read))).toEqual(reads.map((read) => b?.at(read)))
        }
        const kept = loose.changes({ limit: 1000 }).length
        for (let turns = 0; turns < 1000 && tight.changes({ limit: 1000 }).length === kept; turns++)
          await nextTurn()
        expect(tight.changes({ limit: 1000 }).length).toBeLessThan(kept)
        expect(told(tight)).toEqual(told(loose))
      },
    ),
    { numRuns: 20 },
  )
})

it('tells who had read changes that were forgotten, and nobody else', async () => {
  const tuples = new MemoryTuples(
    1,
    at(() => 0),
    history,
    3,
  )
  const write = (each: number, operation: 'writes' | 'deletes' = 'writes'): unknown =>
    tuples.write({ [operation]: [{ user: 'user:a', relation: 'viewer', object: `doc:${each}` }] })
  for (let each = 0; each < 4; each++) write(each)
  // All of which he had read two before they are removed.
  const early = tuples.changes({ limit: 2 })
  for (let each = 0; each < 30; each++) {
    write(each % 3, 'deletes')
    write(each % 3)
    await nextTurn()
  }
  await nextTurn()
  const expired = expect.objectContaining({ code: 'token_expired' })
  expect(() => tuples.changes({ after: early[1]?.position, limit: 9 })).toThrow(expired)
  expect(() => tuples.changes({ afterRevision: 2, limit: 9 })).toThrow(expired)
  expect(() => tuples.changes({ after: -1, limit: 9 })).toThrow(expired)

  // From the beginning, in parts of any size, it makes up what is there.
  const whole = tuples.changes({ limit: 1000 })
  const held = new Set<string>()
  for (const { operation, tuple } of whole) {
    if (operation === 'write') held.add(tuple.object)
    else held.delete(tuple.object)
  }
  expect([...held].toSorted()).toEqual(['doc:0', 'doc:1', 'doc:2', 'doc:3'])
  for (const limit of [1, 2, 5]) {
    const parts = []
    let after: number | undefined
    for (;;) {
      const part = tuples.changes({ after, limit })
      if (part.length === 0) break
      parts.push(...part)
      after = part.at(-1)?.position
    }
    expect(parts).toEqual(whole)
  }
  const positions = whole.map(({ position }) => position)
  expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b))

  // Who is in the middle of it when the next is forgotten would miss what goes.
  const first = tuples.changes({ limit: 1 })
  expect(first[0]?.position).toBeLessThan(0)
  for (let each = 0; each < 30; each++) {
    write(3, 'deletes')
    write(3)
    await nextTurn()
  }
  await nextTurn()
  expect(() => tuples.changes({ after: first[0]?.position, limit: 9 })).toThrow(expired)
  const latest = tuples.changes({ afterRevision: tuples.revision - 1, limit: 9 })
  expect(latest).toHaveLength(1)
  expect(tuples.changes({ after: latest[0]?.position, limit: 9 })).toEqual([])
})

it('removes what has expired, once there is much of it', () => {
  let now = 0
  const tuples = new MemoryTuples(
    1,
    at(() => now),
    100,
    10,
  )
  for (let each = 0; each < 30; each++) {
    now = each
    tuples.write({
      writes: [{ user: 'user:a', relation: 'viewer', object: `doc:${each}`, expiresAt: each + 5 }],
    })
  }
  const changes = tuples.changes({ limit: 1000 })
  expect(changes.some(({ operation }) => operation === 'delete')).toBe(true)
  expect(tuples.read({}, { limit: 100 }).items.map(({ tuple }) => tuple.object)).toEqual([
    'doc:25',
    'doc:26',
    'doc:27',
    'doc:28',
    'doc:29',
  ])
})
