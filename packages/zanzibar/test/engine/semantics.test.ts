import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileCondition } from '../../src/condition/condition.ts'
import { check } from '../../src/graph/check.ts'
import { isWeighted } from '../../src/graph/weighted.ts'
import { openZanzibar, parseModel, v2Differences } from '../../src/index.ts'
import { type Semantics, typeSystem } from '../../src/model/type-system.ts'
import { memoryStore } from '../../src/store/memory-store.ts'
import type { TupleKey } from '../../src/tuple/tuple.ts'
import { openFgaApi } from '../../src/wire/openfga-api.ts'
import { type RandomCase, randomCase } from '../random/random-model.ts'
import { arraySnapshot } from './array-snapshot.ts'
import { naiveCheck, TooLong } from './naive-check.ts'

const model = `
model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
    define all: member
type folder
  relations
    define viewer: [user, group#member]
type document
  relations
    define parent: [folder]
    define editor: [user, group#member]
    define blocked: [user]
    define viewer: [user:*, group#all] or editor or viewer from parent
    define reader: viewer but not blocked
`
const tuples = [
  ['group:eng#all', 'viewer', 'document:1'],
  ['folder:plans', 'parent', 'document:1'],
  ['group:eng#member', 'editor', 'document:2'],
  ['user:*', 'viewer', 'document:3'],
  ['user:anne', 'member', 'group:eng'],
] as const

async function opened(semantics: Semantics) {
  const zanzibar = await openZanzibar({ model, semantics })
  await zanzibar.write({ add: tuples })
  return zanzibar
}

test('what OpenFGA names as the six differences of v2', async () => {
  await using v1 = await opened('openfga-v1')
  await using v2 = await opened('openfga-v2')
  type Question = [user: string, relation: string, object: string]
  const selfReferential: Question = ['group:eng#member', 'member', 'group:eng']
  const alias: Question = ['group:eng#member', 'viewer', 'document:1']
  const computedOfSelf: Question = ['document:1#editor', 'viewer', 'document:1']
  const ofParent: Question = ['folder:plans#viewer', 'viewer', 'document:1']
  for (const question of [selfReferential, alias, computedOfSelf, ofParent]) {
    expect(await v1.check(...question)).toBe(true)
    expect(await v2.check(...question)).toBe(false)
    expect((await v2.explain(...question)).allowed).toBe(false)
  }
  const usersetWithExclusion: Question = ['group:eng#member', 'reader', 'document:2']
  const wildcardWithExclusion: Question = ['user:*', 'reader', 'document:3']
  for (const question of [usersetWithExclusion, wildcardWithExclusion]) {
    expect(await v1.check(...question)).toBe(true)
    await expect(v2.check(...question)).rejects.toMatchObject({ code: 'validation_error' })
  }
  // What tuples say is so in both.
  expect(await v2.check('group:eng#all', 'viewer', 'document:1')).toBe(true)
  expect(await v2.check('group:eng#member', 'editor', 'document:2')).toBe(true)
  expect(await v2.check('user:anne', 'reader', 'document:1')).toBe(true)
})

test('the lint names them', () => {
  const of = (user: string, relation: string): string | undefined =>
    v2Differences(parseModel(model)).find(
      (each) => each.user === user && each.relation === relation && each.type !== 'folder',
    )?.reason
  expect(of('group#member', 'member')).toBe('self_referential_userset')
  expect(of('group#member', 'viewer')).toBe('alias_userset')
  expect(of('group#member', 'all')).toBe('computed_userset_self_object')
  expect(of('group#member', 'reader')).toBe('userset_with_exclusion')
  expect(of('user:*', 'reader')).toBe('wildcard_with_exclusion')
  expect(of('user:*', 'viewer')).toBeUndefined()
  const parent = model.replace('[user:*, group#all]', '[user:*, folder#viewer]')
  expect(v2Differences(parseModel(parent))).toContainEqual({
    reason: 'ttu_userset',
    type: 'document',
    relation: 'viewer',
    user: 'folder#viewer',
  })
})

test('lists say what checks say, also of v2', async () => {
  await using v2 = await opened('openfga-v2')
  expect(await all(v2.listObjects('group:eng#member', 'viewer', 'document'))).toEqual(['document:2'])
  expect(await all(v2.listObjects('group:eng#all', 'viewer', 'document'))).toEqual(['document:1'])
  expect((await v2.listUsers('document:1', 'viewer', 'group#member')).users).toEqual([])
  expect((await v2.listUsers('document:1', 'viewer', 'group#all')).users).toEqual(['group:eng#all'])
  expect((await v2.listUsers('document:2', 'viewer', 'group#member')).users).toEqual(['group:eng#member'])
  await expect(all(v2.listObjects('group:eng#member', 'reader', 'document'))).rejects.toMatchObject({
    code: 'validation_error',
  })
})

test('models that v2 has no graph of are refused, and say why', async () => {
  const cycle = `
model
  schema 1.1
type user
type document
  relations
    define parent: [document]
    define blocked: [user]
    define viewer: ([user] or viewer from parent) but not blocked
`
  const parents = `
model
  schema 1.1
type user
type team
type folder
  relations
    define viewer: [user]
type document
  relations
    define parent: [folder, team]
    define viewer: viewer from parent
`
  const apart =
    'model\n  schema 1.1\ntype user\ntype bot\ntype document\n  relations\n    define a: [user]\n    define b: [bot]\n    define viewer: a and b\n'
  for (const [given, reason] of [
    [cycle, "'document#viewer' leads back to itself"],
    [parents, "a parent of type 'team', which has no relation 'viewer'"],
    [apart, "no type of user can have all that is asked for in 'document#viewer'"],
  ] as const) {
    await expect(openZanzibar({ model: given, semantics: 'openfga-v2' })).rejects.toMatchObject({
      code: 'invalid_authorization_model',
      message: expect.stringContaining(reason) as string,
    })
    await using v1 = await openZanzibar({ model: given })
    expect(v1.modelId).not.toBe('')
  }
})

test('the API refuses them when they are written, and one of v1 when it is asked', async () => {
  await using store = memoryStore()
  const { id } = await store.createStore('both')
  const v2 = openFgaApi({ store, semantics: 'openfga-v2' })
  const leadsBack = {
    schema_version: '1.1',
    type_definitions: [
      { type: 'user' },
      {
        type: 'document',
        relations: {
          parent: { this: {} },
          viewer: {
            intersection: {
              child: [
                { this: {} },
                {
                  union: {
                    child: [
                      { computedUserset: { relation: 'editor' } },
                      {
                        tupleToUserset: {
                          tupleset: { relation: 'parent' },
                          computedUserset: { relation: 'viewer' },
                        },
                      },
                    ],
                  },
                },
              ],
            },
          },
          editor: { this: {} },
        },
        metadata: {
          relations: {
            parent: { directly_related_user_types: [{ type: 'document' }] },
            viewer: { directly_related_user_types: [{ type: 'user' }] },
            editor: { directly_related_user_types: [{ type: 'user' }] },
          },
        },
      },
    ],
  }
  await expect(v2.writeAuthorizationModel(id, leadsBack)).rejects.toMatchObject({ number: 2056 })
  await openFgaApi({ store }).writeAuthorizationModel(id, leadsBack)
  const question = { tuple_key: { user: 'user:1', relation: 'viewer', object: 'document:1' } }
  await expect(v2.check(id, question)).rejects.toMatchObject({ number: 2056 })
})

test('of users that are no usersets, v2 says what v1 says, where no circle of tuples matters', async () => {
  const weighted = randomCase(false).filter(({ model: given }) =>
    isWeighted(typeSystem(given, compileCondition)),
  )
  await fc.assert(
    fc.asyncProperty(weighted, async (given) => {
      const asked = (semantics: Semantics) => ({
        types: typeSystem(given.model, compileCondition, semantics),
        snapshot: arraySnapshot(given.tuples),
        contextualTuples: given.contextualTuples,
        depthLimit: Number.POSITIVE_INFINITY,
        maxConditionCost: 100,
      })
      const [v1, v2] = [asked('openfga-v1'), asked('openfga-v2')]
      for (const { type, name } of v1.types.relations) {
        for (const user of ['user:1', 'robot:2']) {
          const key = { user, relation: name, object: `${type}:1` }
          if (comesToCycle(given, key)) continue
          expect(await check(v2, key)).toEqual(await check(v1, key))
        }
      }
    }),
    { numRuns: 25 },
  )
})

function comesToCycle(given: RandomCase, key: TupleKey): boolean {
  try {
    return naiveCheck({ ...given, depthLimit: Number.POSITIVE_INFINITY }, key) === 'cycle'
  } catch (error) {
    if (error instanceof TooLong) return true
    throw error
  }
}

async function all(objects: AsyncIterable<string>): Promise<readonly string[]> {
  const found: string[] = []
  for await (const object of objects) found.push(object)
  return found
}
