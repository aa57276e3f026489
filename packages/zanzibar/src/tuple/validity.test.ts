import { describe, expect, it } from 'vitest'
import type { RelationReference } from '../model/authorization-model.ts'
import type { Tuple } from './tuple.ts'
import {
  implicitProblem,
  questionReason,
  readProblem,
  refusedContextualTuple,
  refusedTuple,
  type TupleRules,
  writeProblem,
} from './validity.ts'

const relations: ReadonlyMap<string, ReadonlyMap<string, readonly RelationReference[]>> = new Map([
  ['user', new Map()],
  ['group', new Map([['member', [{ type: 'user' }, { type: 'group', relation: 'member' }]]])],
  [
    'doc',
    new Map<string, readonly RelationReference[]>([
      ['parent', [{ type: 'doc' }]],
      ['owner', []],
      ['viewer', [{ type: 'user' }, { type: 'user', wildcard: {} }, { type: 'group', relation: 'member' }]],
      ['c', [{ type: 'user', condition: 'kk' }]],
      ['w', [{ type: 'user' }, { type: 'user', wildcard: {}, condition: 'kk' }]],
    ]),
  ],
])
const rules: TupleRules = {
  hasType: (type) => relations.has(type),
  restrictionsOf: (type, relation) => relations.get(type)?.get(relation),
  isTupleset: (type, relation) => type === 'doc' && relation === 'parent',
  hasCondition: (name) => name === 'kk',
  contextProblem: (_, context) => {
    const undeclared = Object.keys(context).find((key) => key !== 'x')
    return undeclared === undefined ? undefined : `found invalid context parameter: ${undeclared}`
  },
}

function tuple(text: string, condition?: Tuple['condition']): Tuple {
  const [user = '', relation = '', object = ''] = text.split(' ')
  return { user, relation, object, condition }
}

const malformedUser = "the 'user' field is malformed"
const untypedUser =
  "the 'user' field must be an object (e.g. document:1) or an 'object#relation' or a typed wildcard (e.g. group:*)"

// The answers of OpenFGA v1.22.1 to a write of each, under the same model.
const recorded: readonly (readonly [string, string | undefined])[] = [
  ['user:a viewer doc:1', undefined],
  ['user:* viewer doc:1', undefined],
  ['group:1#member viewer doc:1', undefined],
  ['doc:9 parent doc:1', undefined],
  ['user:\u00a0a viewer doc:1', undefined],
  ['user:a viewer doc:*', "the 'object' field cannot reference a typed wildcard"],
  ['user:* parent doc:1', "unexpected wildcard relationship with tupleset relation 'doc#parent'"],
  ['doc:1#viewer parent doc:1', "unexpected user 'doc:1#viewer' with tupleset relation 'doc#parent'"],
  ['doc:1#viewer viewer doc:1', "'doc#viewer' is not an allowed type restriction for 'doc#viewer'"],
  ['group:1 viewer doc:1', "type 'group' is not an allowed type restriction for 'doc#viewer'"],
  ['group:1#nope viewer doc:1', "relation 'group#nope' not found"],
  ['nope:1 viewer doc:1', "type 'nope' not found"],
  ['user:a nope doc:1', "relation 'doc#nope' not found"],
  ['user:a viewer nope:1', "type 'nope' not found"],
  ['* viewer doc:1', untypedUser],
  ['anne viewer doc:1', untypedUser],
  ['user:a:b viewer doc:1', malformedUser],
  ['user:a viewer doc:1:2', "invalid 'object' field format"],
  ['user:a viewer doc', "invalid 'object' field format"],
  ['user:a parent doc:1', "type 'user' is not an allowed type restriction for 'doc#parent'"],
  ['user:a c doc:1', 'condition is missing'],
  [
    'group:* viewer doc:1',
    "the typed wildcard 'group:*' is not an allowed type restriction for 'doc#viewer'",
  ],
  ['group:1#member#x viewer doc:1', malformedUser],
  ['user:a# viewer doc:1', malformedUser],
  ['user: viewer doc:1', malformedUser],
  ['user:a viewer doc:1#viewer', "invalid 'object' field format"],
  ['user:a\u0001 viewer doc:1', malformedUser],
  ['user:*#x viewer doc:1', malformedUser],
  ['*:1 viewer doc:1', "type '*' not found"],
  ['user:a owner doc:1', "type 'user' is not an allowed type restriction for 'doc#owner'"],
  ['user:* w doc:1', 'condition is missing'],
  ['user:a w doc:1', undefined],
]

describe('a tuple to be written', () => {
  it.each(recorded)('%j: %s', (text, reason) => {
    expect(writeProblem(rules, tuple(text))?.reason).toBe(reason)
  })

  it('keeps to the length that identifiers have', () => {
    expect(
      writeProblem(rules, tuple(`user:${'a'.repeat(507)} viewer doc:${'d'.repeat(252)}`)),
    ).toBeUndefined()
    expect(writeProblem(rules, tuple(`user:${'é'.repeat(254)} viewer doc:1`))?.reason).toBe(malformedUser)
    expect(writeProblem(rules, tuple(`user:a viewer doc:${'d'.repeat(253)}`))?.reason).toBe(
      "invalid 'object' field format",
    )
  })

  it.each([
    ['user:a c doc:1', { name: 'kk', context: { x: 1 } }, undefined],
    ['user:a c doc:1', { name: 'kk' }, undefined],
    ['user:a c doc:1', { name: 'nope' }, 'undefined condition'],
    ['user:a viewer doc:1', { name: 'kk' }, 'invalid condition for type restriction'],
    ['user:a w doc:1', { name: 'kk' }, 'invalid condition for type restriction'],
    ['user:* w doc:1', { name: 'kk' }, undefined],
    ['user:a c doc:1', { name: 'k\u0001' }, 'condition name contains forbidden characters'],
    ['user:a c doc:1', { name: 'kk', context: { y: 1 } }, 'found invalid context parameter: y'],
    [
      'user:a c doc:1',
      { name: 'kk', context: { x: 'a\u0001' } },
      'context value "a\\x01" contains forbidden characters',
    ],
    [
      'user:a c doc:1',
      { name: 'kk', context: { x: [{ a: 'b\ud800' }] } },
      'context value "b\\ud800" contains forbidden characters',
    ],
    [
      // What OpenFGA 1.22.1 says of it.
      'user:a c doc:1',
      { name: 'kk', context: { x: '\u0085' } },
      'context value "\\u0085" contains forbidden characters',
    ],
    [
      'user:a c doc:1',
      { name: 'kk', context: { x: 'a\u0007\u000b' } },
      'context value "a\\a\\v" contains forbidden characters',
    ],
    [
      'user:a c doc:1',
      { name: 'kk', context: { 'x\n': 1 } },
      'context key "x\\n" contains forbidden characters',
    ],
  ] as const)('%s with condition %j: %s', (text, condition, reason) => {
    const problem = writeProblem(rules, tuple(text, condition))
    expect(problem).toEqual(reason === undefined ? undefined : { kind: 'condition', reason })
  })

  it('is not what holds without being written', () => {
    expect(implicitProblem(tuple('doc:1#viewer viewer doc:1'))?.reason).toBe(
      'cannot write a tuple that is implicit',
    )
    expect(implicitProblem(tuple('doc:2#viewer viewer doc:1'))).toBeUndefined()
  })
})

describe('a question', () => {
  it('is of users of as many characters as tuples have bytes', () => {
    const reason = (user: string): string | undefined =>
      questionReason(rules, { user, relation: 'viewer', object: 'doc:1' })
    for (const letter of ['a', 'é', '😀']) {
      expect(reason(`user:${letter.repeat(507)}`)).toBeUndefined()
      expect(reason(`user:${letter.repeat(508)}`)).toBe(malformedUser)
    }
  })
})

describe('a stored tuple', () => {
  it('does not count where the model of the question has no such type or relation', () => {
    expect(readProblem(rules, tuple('user:a viewer gone:1'))?.reason).toBe(
      "'gone' is an undefined object type",
    )
    expect(readProblem(rules, tuple('user:a gone doc:1'))?.reason).toBe("'doc#gone' relation is undefined")
    expect(readProblem(rules, tuple('gone:1 viewer doc:1'))?.kind).toBe('tuple')
    expect(readProblem(rules, tuple('user:* parent doc:1'))?.kind).toBe('tuple')
  })
})

describe('the error of a refused tuple', () => {
  it('is 2000 when written, and 2027 or 2000 when contextual', () => {
    const plain = tuple('group:1 viewer doc:1')
    const problem = writeProblem(rules, plain)
    if (problem === undefined) throw new Error('the tuple is not valid')
    expect(refusedTuple(plain, problem)).toMatchObject({
      number: 2000,
      message:
        "Invalid tuple 'doc:1#viewer@group:1'. Reason: type 'group' is not an allowed type restriction for 'doc#viewer'",
    })
    expect(refusedContextualTuple(plain, problem, 'check').number).toBe(2027)
    expect(refusedContextualTuple(plain, problem, 'list').number).toBe(2027)

    const conditioned = tuple('user:a c doc:1', { name: 'nope' })
    const condition = writeProblem(rules, conditioned)
    if (condition === undefined) throw new Error('the tuple is not valid')
    expect(refusedTuple(conditioned, condition).message).toBe(
      "Invalid tuple 'doc:1#c@user:a (condition nope)'. Reason: undefined condition",
    )
    expect(refusedContextualTuple(conditioned, condition, 'check').number).toBe(2027)
    expect(refusedContextualTuple(conditioned, condition, 'list').number).toBe(2000)
  })
})
