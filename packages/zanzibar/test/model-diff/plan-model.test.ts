import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  diffModels,
  isZanzibarError,
  memoryStore,
  parseModel,
  planModel,
  printModel,
} from '../../src/index.ts'
import type { AuthorizationModel, RelationReference } from '../../src/model/authorization-model.ts'
import type { Tuple } from '../../src/tuple/tuple.ts'
import { randomCase } from '../random/random-model.ts'

const before = `
model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type document
  relations
    define parent: [document]
    define owner: [user]
    define editor: [user] or owner
    define viewer: [user, user:*, group#member, user with fresh] or owner
condition fresh(now: timestamp) {
  now < timestamp("2027-01-01T00:00:00Z")
}
`

const tuples: readonly Tuple[] = [
  { user: 'user:anne', relation: 'viewer', object: 'document:1' },
  { user: 'user:*', relation: 'viewer', object: 'document:1' },
  { user: 'group:eng#member', relation: 'viewer', object: 'document:2' },
  { user: 'user:bob', relation: 'viewer', object: 'document:2', condition: { name: 'fresh' } },
  { user: 'user:carl', relation: 'member', object: 'group:eng' },
  { user: 'user:dora', relation: 'owner', object: 'document:1' },
]

async function stored(model: string | AuthorizationModel, all: readonly Tuple[]) {
  const store = memoryStore()
  const { id } = await store.createStore('planned')
  const modelId = await store.writeModel(id, typeof model === 'string' ? parseModel(model) : model)
  if (all.length > 0) await store.write(id, { writes: all })
  return { store, storeId: id, modelId }
}

test('a removed type restriction: the tuples that stop counting, and no other', async () => {
  // Of an earlier model: it counts neither before nor after.
  const older = { user: 'group:eng#lead', relation: 'viewer', object: 'document:3' }
  const { store, storeId } = await stored(before, [...tuples, older])
  await using _ = store
  const plan = await planModel({ store, storeId, model: before.replace('user:*, group#member, ', '') })
  expect(plan.changes).toEqual([
    { kind: 'restriction', change: 'removed', type: 'document', relation: 'viewer', restriction: 'user:*' },
    {
      kind: 'restriction',
      change: 'removed',
      type: 'document',
      relation: 'viewer',
      restriction: 'group#member',
    },
  ])
  expect(plan.stopping).toEqual([
    {
      tuple: tuples[1],
      reason: "the typed wildcard 'user:*' is not an allowed type restriction for 'document#viewer'",
    },
    {
      tuple: tuples[2],
      reason: "'group#member' is not an allowed type restriction for 'document#viewer'",
    },
  ])
  expect(plan.returning).toEqual([])
})

test('tuples of a model before the last one count again', async () => {
  const { store, storeId } = await stored(before, tuples)
  await using _ = store
  const narrow = parseModel(before.replace('user:*, ', ''))
  await store.writeModel(storeId, narrow)
  const plan = await planModel({ store, storeId, model: before })
  expect(plan.stopping).toEqual([])
  expect(plan.returning.map(({ tuple }) => tuple.user)).toEqual(['user:*'])
})

test('answers that become others, of the assertions of the store', async () => {
  const { store, storeId, modelId } = await stored(before, tuples)
  await using _ = store
  const ask = (user: string, object: string) => ({ tuple: { user, relation: 'viewer', object } })
  const [carl, anne, bob] = [
    ask('user:carl', 'document:2'),
    ask('user:anne', 'document:1'),
    ask('user:bob', 'document:2'),
  ]
  await store.writeAssertions(
    storeId,
    modelId,
    [carl, anne, bob].map((each) => ({ ...each, expectation: true })),
  )
  const model = before
    .replace('group#member, user with fresh', 'user with fresh')
    .replace('now < timestamp("2027-01-01T00:00:00Z")', 'true')
  const plan = await planModel({ store, storeId, model })
  expect(plan.changes).toMatchObject([
    { kind: 'restriction', restriction: 'group#member' },
    { kind: 'condition', change: 'changed', condition: 'fresh' },
  ])
  expect(plan.flipping.map((each) => [each.question.tuple.user, each.before, each.after])).toEqual([
    ['user:carl', 'allowed', 'denied'],
  ])
  const gone = await planModel({
    store,
    storeId,
    model: 'model\n  schema 1.1\ntype user\n',
    questions: [bob, carl],
  })
  expect(gone.flipping.map((each) => [each.before, each.after])).toEqual([
    ['conditional', 'refused'],
    ['allowed', 'refused'],
  ])
  expect(gone.stopping).toHaveLength(tuples.length)
})

test('types, relations, rewrites and conditions that come, go and change', () => {
  const after = `
model
  schema 1.2
type user
type team
type document
  relations
    define parent: [document]
    define owner: [user]
    define approver: [user] and owner
    define viewer: owner or viewer from parent
condition late(now: timestamp, zone: string) {
  zone == "UTC"
}
`
  expect(diffModels(parseModel(before), parseModel(after))).toEqual([
    { kind: 'schema', change: 'changed', before: '1.1', after: '1.2' },
    { kind: 'type', change: 'removed', type: 'group' },
    {
      kind: 'relation',
      change: 'removed',
      type: 'document',
      relation: 'editor',
      definition: '[user] or owner',
    },
    {
      kind: 'rewrite',
      change: 'changed',
      type: 'document',
      relation: 'viewer',
      before: '[user, user:*, group#member, user with fresh] or owner',
      after: 'owner or viewer from parent',
    },
    ...['user', 'user:*', 'group#member', 'user with fresh'].map((restriction) => ({
      kind: 'restriction',
      change: 'removed',
      type: 'document',
      relation: 'viewer',
      restriction,
    })),
    {
      kind: 'relation',
      change: 'added',
      type: 'document',
      relation: 'approver',
      definition: '[user] and owner',
    },
    { kind: 'type', change: 'added', type: 'team' },
    { kind: 'condition', change: 'removed', condition: 'fresh' },
    { kind: 'condition', change: 'added', condition: 'late' },
  ])
})

test('a model is no other one for the order of its parts, nor for having been printed', () => {
  fc.assert(
    fc.property(randomCase(true), ({ model }) => {
      const turned = { ...model, type_definitions: model.type_definitions.toReversed() }
      expect(diffModels(model, turned)).toEqual([])
      const text = printed(model)
      if (text !== undefined) expect(diffModels(model, parseModel(text))).toEqual([])
    }),
    { numRuns: 50 },
  )
})

/** Undefined for what the DSL cannot say. */
function printed(model: AuthorizationModel): string | undefined {
  try {
    return printModel(model)
  } catch (error) {
    if (isZanzibarError(error) && error.code === 'invalid_authorization_model') return undefined
    throw error
  }
}

/** What a restriction says of a tuple's user and condition. */
function formOf({ user, condition }: Tuple): string {
  const [object = '', relation] = user.split('#')
  const type = object.slice(0, object.indexOf(':'))
  const shape = object.endsWith(':*') ? `${type}:*` : relation === undefined ? type : `${type}#${relation}`
  return condition === undefined ? shape : `${shape} with ${condition.name}`
}

function textOf({ type, relation, wildcard, condition }: RelationReference): string {
  const shape = wildcard !== undefined ? `${type}:*` : relation === undefined ? type : `${type}#${relation}`
  return condition === undefined ? shape : `${shape} with ${condition}`
}

test('whatever restriction a model loses, the tuples of that form stop counting, and no other', async () => {
  const lost = randomCase(true).chain((given) => {
    const places = given.model.type_definitions.flatMap(({ type, metadata }) =>
      Object.entries(metadata?.relations ?? {}).flatMap(([relation, of]) =>
        (of.directly_related_user_types ?? []).length < 2
          ? []
          : (of.directly_related_user_types ?? []).map((restriction) => ({ type, relation, restriction })),
      ),
    )
    return fc.record({ given: fc.constant(given), place: fc.constantFrom(...places, undefined) })
  })
  await fc.assert(
    fc.asyncProperty(lost, async ({ given: { model, tuples: all }, place }) => {
      if (place === undefined) return
      const after: AuthorizationModel = {
        ...model,
        type_definitions: model.type_definitions.map((each) =>
          each.type === place.type ? without(each, place) : each,
        ),
      }
      const { store, storeId } = await stored(model, all)
      await using _ = store
      const plan = await planModel({ store, storeId, model: after }).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'invalid_authorization_model' })
      })
      // Without it the model may be none: nobody can have a relation.
      if (plan === undefined) return
      const { type, relation, restriction } = place
      expect(plan.changes).toEqual([
        { kind: 'restriction', change: 'removed', type, relation, restriction: textOf(restriction) },
      ])
      const expected = all.filter(
        (tuple) =>
          tuple.relation === relation &&
          tuple.object.startsWith(`${type}:`) &&
          formOf(tuple) === textOf(restriction),
      )
      expect(plan.stopping.map(({ tuple }) => tuple)).toEqual(expected)
      expect(plan.returning).toEqual([])
    }),
    { numRuns: 100 },
  )
})

function without(
  definition: AuthorizationModel['type_definitions'][number],
  { relation, restriction }: { readonly relation: string; readonly restriction: RelationReference },
): AuthorizationModel['type_definitions'][number] {
  const relations = { ...definition.metadata?.relations }
  const allowed = relations[relation]?.directly_related_user_types ?? []
  relations[relation] = { directly_related_user_types: allowed.filter((each) => each !== restriction) }
  return { ...definition, metadata: { relations } }
}
