import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isZanzibarError } from '../../src/errors.ts'
import { check } from '../../src/graph/check.ts'
import {
  compileCondition,
  memoryStore,
  openZanzibar,
  parseModel,
  type Zanzibar,
  zanzibarLimits,
} from '../../src/index.ts'
import { typeSystem } from '../../src/model/type-system.ts'
import { validateModel } from '../../src/model/validate-model.ts'
import { objectTypes, type RandomCase, randomCase, relationNames } from '../random/random-model.ts'
import { arraySnapshot } from './array-snapshot.ts'

type Question = readonly [user: string, relation: string, object: string]

const questions: readonly Question[] = ['user:1', 'user:2', 'group:1#a'].flatMap((user) =>
  relationNames.flatMap((relation) =>
    objectTypes.flatMap((type) => ['1', '2', '3'].map((id): Question => [user, relation, `${type}:${id}`])),
  ),
)

async function opened(given: RandomCase, closureIndex: boolean): Promise<Zanzibar> {
  const zanzibar = await openZanzibar({ model: given.model, store: memoryStore(), closureIndex })
  for (const tuple of given.tuples) {
    try {
      await zanzibar.write({ add: [tuple] })
    } catch (error) {
      // Some are not as the model has them.
      if (!isZanzibarError(error)) throw error
    }
  }
  return zanzibar
}

function isValid({ model }: RandomCase): boolean {
  try {
    validateModel(model, zanzibarLimits, compileCondition)
    return true
  } catch (error) {
    if (isZanzibarError(error)) return false
    throw error
  }
}

async function answerOf(zanzibar: Zanzibar, question: Question): Promise<boolean | string> {
  try {
    return await zanzibar.check(...question)
  } catch (error) {
    if (isZanzibarError(error)) return error.code
    throw error
  }
}

test('what is asked before never changes an answer, with an index and everything kept that is kept', async () => {
  await fc.assert(
    fc.asyncProperty(randomCase(false, 'layered'), fc.infiniteStream(fc.nat()), async (given, order) => {
      fc.pre(isValid(given))
      // Each answer once from one that was asked nothing else.
      const fresh = new Map<Question, boolean | string>()
      await using alone = await opened(given, false)
      for (const question of questions) fresh.set(question, await answerOf(alone, question))
      const told = new Set(fresh.values())
      fc.pre(told.has(true) && told.has(false))
      await using busy = await opened(given, true)
      const shuffled = Array.from({ length: 1000 }, () => {
        const { value } = order.next()
        return questions[value % questions.length] ?? questions[0]
      })
      for (const question of shuffled) {
        // What is too complex may be answered with an index.
        if (question === undefined || typeof fresh.get(question) === 'string') continue
        expect([question, await answerOf(busy, question)]).toEqual([question, fresh.get(question)])
      }
    }),
    { numRuns: 3 },
  )
})

test('what is there but for a cycle is not there', async () => {
  await using zanzibar = await openZanzibar({
    model: `model
  schema 1.1
type user
type robot
type doc
  relations
    define parent: [doc]
    define owner: [user]
    define hidden: [robot] or hidden from parent or shown from parent
    define shown: owner but not hidden`,
    closureIndex: true,
  })
  await zanzibar.write({
    add: [
      ['user:a', 'owner', 'doc:1'],
      ['doc:1', 'parent', 'doc:1'],
      ['user:a', 'owner', 'doc:2'],
    ],
  })
  for (const object of ['doc:1', 'doc:2', 'doc:1']) {
    expect([object, await zanzibar.check('user:a', 'shown', object)]).toEqual([object, object === 'doc:2'])
  }
})

test('what one way came to within a cycle is not kept for another way', async () => {
  const model = parseModel(`model
  schema 1.1
type user
type doc
  relations
    define first: [doc]
    define next: [doc]
    define shown: ([user] or shown from first) but not hidden
    define hidden: shown from next or marked from next
    define marked: [user] or marked from first`)
  // Below doc:1, doc:2 leads back to it; beside doc:1, which is hidden by what is marked, it is shown.
  const snapshot = arraySnapshot([
    { user: 'doc:1', relation: 'first', object: 'doc:0' },
    { user: 'doc:2', relation: 'first', object: 'doc:0' },
    { user: 'doc:2', relation: 'next', object: 'doc:1' },
    { user: 'doc:3', relation: 'next', object: 'doc:1' },
    { user: 'doc:1', relation: 'next', object: 'doc:2' },
    { user: 'user:a', relation: 'marked', object: 'doc:3' },
    { user: 'user:a', relation: 'shown', object: 'doc:1' },
    { user: 'user:a', relation: 'shown', object: 'doc:2' },
  ])
  const types = typeSystem(model, compileCondition)
  const scope = { types, snapshot, depthLimit: Number.POSITIVE_INFINITY, maxConditionCost: 100 }
  const shown: boolean[] = []
  for (const object of ['doc:0', 'doc:1', 'doc:2'])
    shown.push((await check(scope, { user: 'user:a', relation: 'shown', object })).allowed)
  expect(shown).toEqual([true, false, true])
})
