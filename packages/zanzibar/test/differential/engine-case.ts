import fc from 'fast-check'
import { compileCondition } from '../../src/condition/condition.ts'
import { isZanzibarError } from '../../src/errors.ts'
import { openFgaLimits } from '../../src/limits.ts'
import type { RelationReference } from '../../src/model/authorization-model.ts'
import { validateModel } from '../../src/model/validate-model.ts'
import type { Tuple } from '../../src/tuple/tuple.ts'
import { deepCase } from '../random/deep-case.ts'
import { nestedCase, nestedRelations } from '../random/nested-case.ts'
import { objectTypes, type RandomCase, randomCase, relationNames } from '../random/random-model.ts'

export type Question =
  | { readonly kind: 'check'; readonly user: string; readonly relation: string; readonly object: string }
  | { readonly kind: 'objects'; readonly user: string; readonly relation: string; readonly type: string }
  | {
      readonly kind: 'users'
      readonly filter: { readonly type: string; readonly relation?: string }
      readonly relation: string
      readonly object: string
    }

export interface EngineCase extends RandomCase {
  readonly questions: readonly Question[]
}

const who = fc.constantFrom('user:1', 'user:2', 'user:*', 'robot:1', 'group:1#a', 'folder:2#b')
const relation = fc.constantFrom(...relationNames)
const type = fc.constantFrom(...objectTypes)
const object = fc.tuple(type, fc.constantFrom('1', '2')).map(([name, id]) => `${name}:${id}`)

const question: fc.Arbitrary<Question> = fc.oneof(
  fc.record({ kind: fc.constant('check' as const), user: who, relation, object }),
  fc.record({ kind: fc.constant('objects' as const), user: who, relation, type }),
  fc.record({
    kind: fc.constant('users' as const),
    filter: fc.constantFrom({ type: 'user' }, { type: 'user' }, { type: 'group', relation: 'a' }),
    relation,
    object,
  }),
)

/** Random models with their tuples and questions. */
export function engineCase(conditions: boolean): fc.Arbitrary<EngineCase> {
  const questions = fc.array(question, { minLength: 8, maxLength: 16, size: 'max' })
  return fc
    .tuple(mostlyTaken(randomCase(conditions, 'layered')).chain(sometimesHiding), questions)
    .map(([given, asked]) => ({ ...given, questions: asked }))
}

const nestedRelation = fc.constantFrom(...nestedRelations)
const anyone = fc.oneof(who, fc.constantFrom('robot:*', 'group:2#c'))
const nestedQuestion: fc.Arbitrary<Question> = fc.oneof(
  fc.record({ kind: fc.constant('check' as const), user: anyone, relation: nestedRelation, object }),
  fc.record({ kind: fc.constant('objects' as const), user: anyone, relation: nestedRelation, type }),
  fc.record({
    kind: fc.constant('users' as const),
    filter: fc.constantFrom(
      { type: 'user' },
      { type: 'robot' },
      { type: 'group' },
      { type: 'group', relation: 'a' },
      { type: 'folder', relation: 'b' },
    ),
    relation: nestedRelation,
    object,
  }),
)

/** Models with operators deep in each other, and parents that lack what is asked of them. */
export function nestedEngineCase(conditions: boolean): fc.Arbitrary<EngineCase> {
  const questions = fc.array(nestedQuestion, { minLength: 12, maxLength: 20, size: 'max' })
  return fc
    .tuple(mostlyTaken(nestedCase(conditions)), questions)
    .map(([given, asked]) => ({ ...given, questions: asked }))
}

const place = fc.integer({ min: 0, max: openFgaLimits.resolveNodeLimit + 2 })
const deepList: fc.Arbitrary<Question> = fc
  .tuple(
    fc.oneof(
      place.map((id) => `group:${id}#member`),
      place.map((id) => `folder:${id}#viewer`),
      fc.constantFrom('user:*', 'user:1', 'step:20#a'),
    ),
    fc.constantFrom(
      { type: 'group', relation: 'member' },
      { type: 'folder', relation: 'viewer' },
      { type: 'org', relation: 'crew' },
      { type: 'doc', relation: 'read' },
      { type: 'doc', relation: 'some' },
      { type: 'doc', relation: 'least' },
      { type: 'step', relation: 'a' },
    ),
  )
  .map(([of, listed]) => ({ kind: 'objects', user: of, ...listed }))

/** Chains about as deep as the limit of depth, with some of what can be asked of them. */
export function deepEngineCase(): fc.Arbitrary<EngineCase> {
  return deepCase(openFgaLimits.resolveNodeLimit).chain((given) =>
    fc
      .tuple(
        fc.shuffledSubarray([...given.questions], { minLength: 12, maxLength: 20 }),
        fc.array(deepList, { minLength: 4, maxLength: 8, size: 'max' }),
      )
      .map(([checks, lists]) => ({
        ...given,
        questions: [...checks.map((key) => ({ kind: 'check' as const, ...key })), ...lists],
      })),
  )
}

/** Half of the random models are refused, and nothing is asked of them: that is compared once in ten. */
function mostlyTaken(cases: fc.Arbitrary<RandomCase>): fc.Arbitrary<RandomCase> {
  const taken = cases.filter(({ model }) => {
    try {
      validateModel(model, openFgaLimits, compileCondition)
      return true
    } catch (error) {
      if (isZanzibarError(error)) return false
      throw error
    }
  })
  return fc.oneof({ weight: 9, arbitrary: taken }, { weight: 1, arbitrary: cases })
}

/** Once in four with contextual tuples of the keys of stored ones, some with other conditions: these hide, or do not. */
function sometimesHiding(given: RandomCase): fc.Arbitrary<RandomCase> {
  const { model, tuples } = given
  const restrictionsOf = (tuple: Tuple): readonly RelationReference[] =>
    model.type_definitions.find(({ type: name }) => tuple.object.startsWith(`${name}:`))?.metadata
      ?.relations?.[tuple.relation]?.directly_related_user_types ?? []
  const again = (
    { object: on, relation: name, user }: Tuple,
    each: RelationReference,
    isGiven: boolean,
  ): Tuple => ({
    object: on,
    relation: name,
    user,
    ...(each.condition && {
      condition: { name: each.condition, ...(isGiven && { context: { x: 'y' } }) },
    }),
  })
  const hiding = fc
    .tuple(
      fc.shuffledSubarray([...tuples], { maxLength: 4 }),
      fc.infiniteStream(fc.tuple(fc.nat(), fc.boolean())),
    )
    .map(([hidden, drawn]): RandomCase => {
      const contextualTuples = hidden.map((tuple) => {
        const fitting = restrictionsOf(tuple).filter((each) => formOf(each) === formOfUser(tuple.user))
        const [at, isGiven] = drawn.next().value ?? [0, false]
        return again(tuple, fitting[at % fitting.length] ?? { type: '' }, isGiven)
      })
      return { ...given, contextualTuples }
    })
  return fc.oneof({ weight: 3, arbitrary: fc.constant(given) }, { weight: 1, arbitrary: hiding })
}

function formOf({ type: name, relation: of, wildcard }: RelationReference): string {
  return of === undefined ? `${name}${wildcard === undefined ? '' : ':*'}` : `${name}#${of}`
}

/** As a restriction says it. */
function formOfUser(user: string): string {
  if (user.endsWith(':*')) return user
  const [named = '', of] = user.split('#')
  const name = named.slice(0, named.indexOf(':'))
  return of === undefined ? name : `${name}#${of}`
}
