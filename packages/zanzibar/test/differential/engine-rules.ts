import { compileCondition } from '../../src/condition/condition.ts'
import type { AuthorizationModel, Userset } from '../../src/model/authorization-model.ts'
import { type Relation, type Rewrite, typeSystem } from '../../src/model/type-system.ts'
import type { Tuple, TupleKey } from '../../src/tuple/tuple.ts'
import type { RandomCase } from '../random/random-model.ts'
import { definedAnswer, racedAnswers } from './defined-answer.ts'
import type { EngineCase, Question } from './engine-case.ts'
import type { Rule } from './known-rules.ts'
import { mayLeadTooFar } from './steps-back.ts'

/** A boolean, a list in order, or the code of an error; of a refused model, that alone. */
export type EngineAnswer = boolean | string | readonly string[]

/** What OpenFGA came to. */
export interface PeerAnswer {
  /** Asked again where it was not our answer: it races its own branches against each other. */
  readonly seen: readonly EngineAnswer[]
  /** It listed otherwise than it checks, and its checks say what we list. */
  readonly isContradicted: boolean
}

type Check = Extract<Question, { readonly kind: 'check' }>

/** Each says by itself, from the model, the tuples and the definition of a check, when it holds. */
export const engineRules: readonly Rule<EngineCase, EngineAnswer, PeerAnswer>[] = [
  {
    reason:
      'under an intersection or an exclusion one way is false and another one leads back to itself: OpenFGA takes what comes first, and we take the false',
    explains: (given, at, mine, { seen }) => {
      const asked = given.questions[at]
      if (asked?.kind === 'check') {
        const raced = racedAnswers(given, asked)
        return mine === definedAnswer(given, asked) && seen.every((each) => isOneOf(raced, each))
      }
      if (asked?.kind !== 'objects' || !isList(mine)) return false
      return seen.every(
        (each) =>
          isList(each) && onlyInOne(each, mine).every((object) => isOpen(given, { ...asked, object })),
      )
    },
  },
  {
    reason:
      'a list of objects by an intersection of which one operand is empty and another one fails: OpenFGA takes what comes first, and we take the empty one',
    explains: (given, at, mine, { seen }) => {
      const asked = given.questions[at]
      return (
        asked?.kind === 'objects' &&
        isList(mine) &&
        seen.every((each) => each === 'validation_error') &&
        relationsBelow(given, asked).some((relation) => hasEmptyOperand(given, relation, asked.user)) &&
        isWhatChecksSay(given, asked, mine)
      )
    },
  },
  {
    reason:
      'a condition that cannot be told, away from the way to the user: whether OpenFGA evaluates it depends on the strategy that it draws; ours is what a check is defined to be',
    explains: (given, at, mine, { seen }) => {
      const asked = given.questions[at]
      if (asked?.kind !== 'check' || mine !== definedAnswer(given, asked)) return false
      const tuples = untold(given, asked)
      if (tuples.length === 0) return false
      if (seen.every((each) => each === 'validation_error')) return true
      return seen.every((each) => each === definedAnswer(without(given, tuples), asked))
    },
  },
  {
    reason:
      "tuples of the user and of everyone of its type, or a stored and a contextual one, on one object, one of which does not hold: one of OpenFGA's strategies looks at the first of them only; ours is what a check is defined to be",
    explains: (given, at, mine, { seen }) => {
      const asked = given.questions[at]
      if (asked?.kind !== 'check' || mine !== definedAnswer(given, asked)) return false
      const ways = withOneOfEach(given, asked)
      return seen.every((each) => ways.some((way) => each === definedAnswer(way, asked)))
    },
  },
  {
    reason:
      'a list that OpenFGA walks back from the user, where a way of too many steps is met: whether it refuses depends on which of several ways to an object it comes by first, and we take the shortest',
    explains: (given, at, mine, { seen }) => {
      const asked = given.questions[at]
      return (
        asked?.kind === 'objects' &&
        isList(mine) &&
        seen.every((each) => each === 'authorization_model_resolution_too_complex') &&
        mayLeadTooFar(given, asked, relationsBelow(given, asked))
      )
    },
  },
  {
    reason: 'OpenFGA lists otherwise than it checks, and its own checks say what we list',
    explains: (_, __, ___, { isContradicted }) => isContradicted,
  },
]

export function isList(answer: EngineAnswer | undefined): answer is readonly string[] {
  return Array.isArray(answer)
}

/** What names a relation: of a type, or of an object. */
export interface Asked {
  readonly relation: string
  readonly type?: string
  readonly object?: string
}

/** The relation that is asked and all that it is made of. */
export function relationsBelow({ model }: Pick<RandomCase, 'model'>, asked: Asked): readonly Relation[] {
  const types = typeSystem(model, compileCondition)
  const type = asked.type ?? asked.object?.slice(0, asked.object.indexOf(':')) ?? ''
  const found = new Set([types.relation(type, asked.relation)].filter((each) => each !== undefined))
  for (const relation of found) for (const next of nextOf(relation, relation.rewrite)) found.add(next)
  return [...found]
}

function nextOf(relation: Relation, rewrite: Rewrite): readonly Relation[] {
  switch (rewrite.kind) {
    case 'direct':
      return relation.usersets
    case 'computed':
      return [rewrite.relation]
    case 'from':
      return [rewrite.tupleset, ...rewrite.computed.values()]
    case 'union':
    case 'intersection':
      return rewrite.children.flatMap((child) => nextOf(relation, child))
    case 'exclusion':
  }
  return [rewrite.base, rewrite.subtract].flatMap((each) => nextOf(relation, each))
}

function isOneOf(raced: ReturnType<typeof racedAnswers>, seen: EngineAnswer): boolean {
  return !isList(seen) && raced.has(seen)
}

function isOpen(given: EngineCase, asked: TupleKey): boolean {
  const raced = racedAnswers(given, asked)
  return raced.has(true) && raced.has(false)
}

function onlyInOne(some: readonly string[], others: readonly string[]): readonly string[] {
  return [...new Set(some).symmetricDifference(new Set(others))]
}

/** Whether a rewrite has an intersection or an exclusion in it. */
export function hasOperands({ rewrite }: Relation): boolean {
  const within = (each: Rewrite): boolean =>
    each.kind === 'exclusion' ||
    each.kind === 'intersection' ||
    ('children' in each && each.children.some(within))
  return within(rewrite)
}

/** Whether one operand of an intersection of a relation gives a user no object, and another one has a condition that fails. */
function hasEmptyOperand(given: EngineCase, { type, name }: Relation, user: string): boolean {
  const objects = [
    ...new Set([...given.tuples, ...given.contextualTuples].map(({ object }) => object)),
  ].filter((object) => object.startsWith(`${type}:`))
  const isEmpty = (way: EngineCase): boolean =>
    objects.every((object) => definedAnswer(way, { user, relation: name, object }) === false)
  const fails = (way: EngineCase): boolean => untold(way, { type, relation: name }).length > 0
  const rewrite = given.model.type_definitions.find((each) => each.type === type)?.relations?.[name]
  return intersectionsOf(rewrite).some((operands) => {
    const ways = operands.map((operand) => ({
      ...given,
      model: withRewrite(given.model, { type, name }, operand),
    }))
    return ways.some((empty) => isEmpty(empty) && ways.some((way) => way !== empty && fails(way)))
  })
}

/** The operands of each intersection. */
function intersectionsOf(rewrite: Userset | undefined): readonly (readonly Userset[])[] {
  if (rewrite === undefined) return []
  if ('union' in rewrite) return rewrite.union.child.flatMap(intersectionsOf)
  if ('difference' in rewrite)
    return [rewrite.difference.base, rewrite.difference.subtract].flatMap(intersectionsOf)
  if (!('intersection' in rewrite)) return []
  return [rewrite.intersection.child, ...rewrite.intersection.child.flatMap(intersectionsOf)]
}

function withRewrite(
  model: AuthorizationModel,
  { type, name }: Pick<Relation, 'type' | 'name'>,
  rewrite: Userset,
): AuthorizationModel {
  const definitions = model.type_definitions.map((each) =>
    each.type === type ? { ...each, relations: { ...each.relations, [name]: rewrite } } : each,
  )
  return { ...model, type_definitions: definitions }
}

/** The tuples of what is asked whose conditions lack their parameter. */
export function untold(given: RandomCase, asked: Asked): readonly Tuple[] {
  if ('x' in given.context) return []
  const below = new Set(relationsBelow(given, asked).map(({ type, name }) => `${type}#${name}`))
  return [...given.tuples, ...given.contextualTuples].filter(
    ({ object, relation, condition }) =>
      condition !== undefined &&
      !('x' in (condition.context ?? {})) &&
      below.has(`${object.slice(0, object.indexOf(':'))}#${relation}`),
  )
}

function without(given: EngineCase, gone: readonly Tuple[]): EngineCase {
  const isLeft = (tuple: Tuple): boolean => !gone.includes(tuple)
  return {
    ...given,
    tuples: given.tuples.filter(isLeft),
    contextualTuples: given.contextualTuples.filter(isLeft),
  }
}

/** Whether a list has those objects that are allowed by the definition of a check, as far as that answers. */
function isWhatChecksSay(
  given: EngineCase,
  { user, relation, type }: Extract<Question, { readonly kind: 'objects' }>,
  mine: readonly string[],
): boolean {
  const objects = new Set([...given.tuples, ...given.contextualTuples].map(({ object }) => object))
  return [...objects, ...mine]
    .filter((object) => object.startsWith(`${type}:`))
    .every((object) => {
      const defined = definedAnswer(given, { user, relation, object })
      return typeof defined !== 'boolean' || defined === mine.includes(object)
    })
}

const maxWays = 256

function holds({ condition }: Tuple, { context }: EngineCase): boolean {
  if (condition === undefined) return true
  return condition.name === 'holds' && ('x' in context || 'x' in (condition.context ?? {}))
}

/**
 * The cases in which, of several tuples of one object and relation that are of the user and of everyone of its type, only one
 * is left that does not hold.
 */
function withOneOfEach(given: EngineCase, { user }: Check): readonly EngineCase[] {
  const everyone = `${user.slice(0, user.indexOf(':'))}:*`
  const doubles = new Map<string, Tuple[]>()
  for (const tuple of [...given.contextualTuples, ...given.tuples]) {
    if (tuple.user !== user && tuple.user !== everyone) continue
    const key = JSON.stringify([tuple.object, tuple.relation])
    doubles.set(key, [...(doubles.get(key) ?? []), tuple])
  }
  let ways: readonly EngineCase[] = [given]
  for (const tuples of doubles.values()) {
    const failing = tuples.filter((tuple) => !holds(tuple, given))
    if (tuples.length === 1 || ways.length * (failing.length + 1) > maxWays) continue
    ways = ways.flatMap((way) => [
      way,
      ...failing.map((kept) =>
        without(
          way,
          tuples.filter((each) => each !== kept),
        ),
      ),
    ])
  }
  return ways.filter((way) => way !== given)
}
