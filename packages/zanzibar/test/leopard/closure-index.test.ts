import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sqliteStore } from '../../src/adapters/sqlite.ts'
import { check } from '../../src/graph/check.ts'
import type { Scope } from '../../src/graph/tuple-reader.ts'
import { isZanzibarError, memoryStore, parseModel, type TupleStore } from '../../src/index.ts'
import { ClosureIndex, type IndexView } from '../../src/leopard/closure-index.ts'
import { typeSystem } from '../../src/model/type-system.ts'
import { realClock } from '../../src/ports.ts'
import type { Tuple, TupleKey } from '../../src/tuple/tuple.ts'
import { readProblem } from '../../src/tuple/validity.ts'
import { naiveCheck, TooLong } from '../engine/naive-check.ts'
import { condition } from '../engine/random-scope.ts'
import { assertMeeting } from '../random/assert-meeting.ts'
import { objectTypes, randomModel, randomTuples, relationNames, userIds } from '../random/random-model.ts'

interface Step {
  readonly writes: readonly { readonly tuple: Tuple; readonly lasting: number | undefined }[]
  /** Which of the tuples that are there are deleted, as parts of how many there are. */
  readonly deletes: readonly number[]
  /** Whether the index is brought up before it is asked. */
  readonly isFollowed: boolean
  readonly wait: number
  readonly questions: readonly TupleKey[]
  readonly contextualTuples: readonly Tuple[]
  readonly x: boolean
}

const questions: readonly TupleKey[] = objectTypes.flatMap((type) =>
  relationNames.flatMap((relation) =>
    userIds.flatMap((id) =>
      ['user:1', 'user:2', 'user:*', 'group:1#a'].map((user) => ({
        user,
        relation,
        object: `${type}:${id}`,
      })),
    ),
  ),
)

/** How many of the questions of a step are asked in the slow way too. */
const asDefined = 6

const interleaved = fc
  .tuple(fc.boolean(), fc.constantFrom('wild' as const, 'layered' as const))
  .chain(([conditions, shape]) => randomModel(conditions, shape))
  .chain((model) => {
    const step: fc.Arbitrary<Step> = fc.record({
      writes: fc.array(
        fc.record({
          tuple: randomTuples(model, 1)
            .filter(({ length }) => length === 1)
            .map(([tuple]) => tuple as Tuple),
          lasting: fc.option(fc.integer({ min: 1, max: 3 }), { freq: 8, nil: undefined }),
        }),
        { maxLength: 6 },
      ),
      deletes: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 3 }),
      isFollowed: fc.integer({ min: 0, max: 9 }).map((n) => n < 8),
      wait: fc.integer({ min: 0, max: 1 }),
      questions: fc.shuffledSubarray([...questions], { minLength: 12, maxLength: 16 }),
      contextualTuples: fc.oneof(fc.constant([]), randomTuples(model, 6)),
      x: fc.boolean(),
    })
    return fc.record({
      model: fc.constant(model),
      first: randomTuples(model, 25),
      // Written under a model of before: they do not count.
      older: randomModel(false).chain((before) => randomTuples(before, 20)),
      steps: fc.array(step, { minLength: 1, maxLength: 6 }),
    })
  })

/** The same view, counting what it was asked. */
function counted(view: IndexView, seen: { closures: number }): IndexView {
  return {
    ...view,
    closure: (relation, object) => {
      const closure = view.closure(relation, object)
      if (typeof closure === 'object') seen.closures++
      return closure
    },
  }
}

/** Undefined where there are too many ways to follow: how many, the index may change. */
async function outcomeOf(scope: Scope, key: TupleKey): Promise<string | undefined> {
  try {
    const { allowed, error } = await check(scope, key)
    return error === undefined ? String(allowed) : `${error.number} ${error.message}`
  } catch (error) {
    if (isZanzibarError(error) && error.number === 2002) return undefined
    throw error
  }
}

/** Every question of random interleavings: with the index, without it, and as it is defined. Says how often closures were used. */
async function compare(
  open: (now: () => number) => TupleStore,
  depthLimit: number,
  numRuns: number,
): Promise<{ readonly closures: number; readonly allowed: number }> {
  const seen = { closures: 0, allowed: 0 }
  await assertMeeting(
    fc.asyncProperty(interleaved, fc.constantFrom(1_000_000, 1_000_000, 40), async (given, maxEntries) => {
      let time = 1000
      await using store = open(() => time)
      const { id } = await store.createStore('one')
      const types = typeSystem(given.model, ({ name }) => condition(name))
      await store.write(id, { writes: unique([...given.first, ...given.older]) })
      let isTooComplex = false
      const index = new ClosureIndex({ store, storeId: id, types }, { maxEntries })
      for (const step of given.steps) {
        time += step.wait
        const there = await everything(store, id)
        const deletes = step.deletes.flatMap((part) => there[Math.floor(part * there.length)] ?? [])
        const writes = step.writes
          .map(({ tuple, lasting }) =>
            lasting === undefined ? tuple : { ...tuple, expiresAt: time + lasting },
          )
          .filter((tuple) => !deletes.some((each) => nameOf(each) === nameOf(tuple)))
        await store.write(id, {
          writes: unique(writes.filter((tuple) => !there.some((each) => nameOf(each) === nameOf(tuple)))),
          deletes: unique(deletes),
        })
        if (step.isFollowed) await index.follow()
        const snapshot = await store.snapshot(id)
        const context = step.x ? { x: 'z' } : {}
        const { contextualTuples } = step
        const without = { types, snapshot, context, contextualTuples, depthLimit, maxConditionCost: 100 }
        const at: ClosureIndex['at'] = (revision, contextual) => {
          const view = index.at(revision, contextual)
          return view && counted(view, seen)
        }
        const tuples = (await everything(store, id)).filter(
          (tuple) => readProblem(types, tuple) === undefined,
        )
        for (const [place, key] of step.questions.entries()) {
          const plain = await outcomeOf(without, key)
          const outcome = plain && (await outcomeOf({ ...without, index: { at, revision: 0 } }, key))
          isTooComplex = outcome === undefined
          // Every other question would take as long as this one.
          if (isTooComplex || plain === undefined) break
          expect({ key, outcome }).toEqual({ key, outcome: plain })
          if (plain === 'true') seen.allowed++
          if (place >= asDefined || !/^(true|false)$/.test(plain)) continue
          try {
            const naive = naiveCheck(
              { model: given.model, tuples, contextualTuples, context, depthLimit },
              key,
            )
            expect({ key, plain }).toEqual({ key, plain: String(naive === 'yes') })
          } catch (error) {
            if (!(error instanceof TooLong)) throw error
          }
        }
        snapshot.release()
        // What goes on in the background is of this store, which is closed soon.
        await index.follow()
        if (isTooComplex) return
      }
    }),
    { numRuns, met: () => Math.min(seen.closures, seen.allowed) > 10 },
  )
  return seen
}

async function everything(store: TupleStore, id: string): Promise<readonly Tuple[]> {
  return (await store.read(id, {}, { limit: 1000 })).items.map(({ tuple }) => tuple)
}

function nameOf({ object, relation, user }: TupleKey): string {
  return `${object}#${relation}@${user}`
}

function unique<Key extends TupleKey>(tuples: readonly Key[]): readonly Key[] {
  return [...new Map(tuples.map((tuple) => [nameOf(tuple), tuple])).values()]
}

const unlimited = Number.POSITIVE_INFINITY

const inMemory = (now: () => number): TupleStore => memoryStore({ clock: { ...realClock, now } })
const inSqlite = (now: () => number): TupleStore =>
  sqliteStore({ path: ':memory:', clock: { ...realClock, now } })

describe('with the index a check answers as without it, and as it is defined', () => {
  test.each([
    ['to any depth', inMemory, unlimited, 60],
    ['with a limit of depth', inMemory, 5, 60],
    ['of SQLite', inSqlite, unlimited, 25],
  ] as const)('%s', async (_, open, depthLimit, numRuns) => {
    const { closures, allowed } = await compare(open, depthLimit, numRuns)
    expect(closures).toBeGreaterThan(10)
    expect(allowed).toBeGreaterThan(10)
  })
})

test('once it has followed, what was deleted leads nowhere, and what is written again leads there again', async () => {
  const model = parseModel(
    'model\n  schema 1.1\ntype user\ntype group\n  relations\n    define member: [user, group#member]\n',
  )
  await using store = memoryStore()
  const { id } = await store.createStore('followed')
  const types = typeSystem(model, ({ name }) => condition(name))
  const index = new ClosureIndex({ store, storeId: id, types })
  const inner = { user: 'group:c#member', relation: 'member', object: 'group:b' }
  const seen = { closures: 0 }
  const isMember = async (): Promise<string | undefined> => {
    await index.follow()
    const snapshot = store.snapshot(id)
    expect(index.revision).toBe(snapshot.revision)
    const at: ClosureIndex['at'] = (revision, contextual) => {
      const view = index.at(revision, contextual)
      return view && counted(view, seen)
    }
    const asked = {
      types,
      snapshot,
      index: { at, revision: 0 },
      depthLimit: unlimited,
      maxConditionCost: 100,
    }
    return await outcomeOf(asked, { user: 'user:anne', relation: 'member', object: 'group:a' })
  }
  const outer = { user: 'group:b#member', relation: 'member', object: 'group:a' }
  await store.write(id, {
    writes: [outer, inner, { user: 'user:anne', relation: 'member', object: 'group:c' }],
  })
  expect(await isMember()).toBe('true')
  for (const tuple of [inner, outer]) {
    await store.write(id, { deletes: [tuple] })
    expect(await isMember()).toBe('false')
    await store.write(id, { writes: [tuple] })
    expect(await isMember()).toBe('true')
  }
  expect(seen.closures).toBeGreaterThan(3)
})
