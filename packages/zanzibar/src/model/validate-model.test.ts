import { describe, expect, it } from 'vitest'
import type { AuthorizationModel, RelationReference, TypeDefinition, Userset } from './authorization-model.ts'
import { validateModel } from './validate-model.ts'

type Definitions = Readonly<Record<string, readonly [Userset, ...RelationReference[]]>>

const self: Userset = { this: {} }
const user: RelationReference = { type: 'user' }
const computed = (relation: string): Userset => ({ computedUserset: { relation } })
const from = (relation: string, tupleset: string): Userset => ({
  tupleToUserset: { tupleset: { relation: tupleset }, computedUserset: { relation } },
})
const or = (...child: Userset[]): Userset => ({ union: { child } })
const and = (...child: Userset[]): Userset => ({ intersection: { child } })
const not = (base: Userset, subtract: Userset): Userset => ({ difference: { base, subtract } })

function type(name: string, definitions: Definitions = {}): TypeDefinition {
  const relations: [string, Userset][] = []
  const restrictions: [string, { directly_related_user_types: readonly RelationReference[] }][] = []
  for (const [relation, [rewrite, ...users]] of Object.entries(definitions)) {
    relations.push([relation, rewrite])
    if (users.length > 0) restrictions.push([relation, { directly_related_user_types: users }])
  }
  return {
    type: name,
    relations: Object.fromEntries(relations),
    metadata: { relations: Object.fromEntries(restrictions) },
  }
}

function model(definitions: Definitions, ...more: TypeDefinition[]): AuthorizationModel {
  return { schema_version: '1.1', type_definitions: [type('user'), type('doc', definitions), ...more] }
}

// The answers of OpenFGA v1.22.1 to a write of each.
const recorded: readonly (readonly [string, AuthorizationModel, string | undefined])[] = [
  ['a direct relation', model({ a: [self, user] }), undefined],
  ['schema 1.0', { ...model({}), schema_version: '1.0' }, 'invalid schema version'],
  ['a type twice', model({}, type('user')), 'an authorization model cannot contain duplicate types'],
  ['a reserved type', model({}, type('this')), "the definition of type 'this' is invalid"],
  [
    'a reserved relation',
    model({ self: [self, user] }),
    "the definition of relation 'self' in object type 'doc' is invalid: self and this are reserved keywords",
  ],
  [
    'a relation computed of itself',
    model({ a: [computed('a')] }),
    "the definition of relation 'a' in object type 'doc' is invalid: invalid userset rewrite definition",
  ],
  ['an unknown computed relation', model({ a: [computed('b')] }), "'doc#b' relation is undefined"],
  ['an unknown tupleset', model({ a: [from('b', 'p')] }), "'doc#p' relation is undefined"],
  [
    'a tupleset that is computed',
    model({ a: [from('b', 'p')], b: [self, user], p: [computed('b')] }),
    "the 'doc#p' relation is referenced in at least one tupleset and thus must be a direct relation",
  ],
  [
    'a tupleset without such a relation',
    model({ a: [from('b', 'p')], p: [self, user, { type: 'doc' }] }),
    'undefined relation: b does not appear as a relation in any of the directly related user types [type:"user" type:"doc"]',
  ],
  [
    'a tupleset with conditions without such a relation',
    model({ a: [from('b', 'p')], p: [self, { type: 'doc', condition: 'cc' }] }),
    'undefined relation: b does not appear as a relation in any of the directly related user types [type:"doc"  condition:"cc"]',
  ],
  [
    'a tupleset with usersets',
    model({
      a: [from('b', 'p')],
      b: [self, user],
      p: [self, { type: 'doc' }, { type: 'doc', relation: 'b' }],
    }),
    "the relation type 'doc#b' on 'p' in object type 'doc' is not valid",
  ],
  [
    'a tupleset with a wildcard',
    model({
      a: [from('b', 'p')],
      b: [self, user],
      p: [self, { type: 'doc' }, { type: 'doc', wildcard: {} }],
    }),
    "the relation type 'doc' on 'p' in object type 'doc' is not valid",
  ],
  [
    'a direct relation of no types',
    model({ a: [self] }),
    "the assignable relation 'a' in object type 'doc' must contain at least one relation type",
  ],
  [
    'a computed relation with types',
    model({ a: [computed('b'), user], b: [self, user] }),
    "the non-assignable relation 'a' in object type 'doc' should not contain a relation type",
  ],
  [
    'an unknown user type',
    model({ a: [self, { type: 'nope' }] }),
    "the relation type 'nope' on 'a' in object type 'doc' is not valid",
  ],
  [
    'an unknown userset type',
    model({ a: [self, { type: 'nope', relation: 'b' }] }),
    "the relation type 'nope#b' on 'a' in object type 'doc' is not valid",
  ],
  [
    'an unknown userset relation',
    model({ a: [self, { type: 'doc', relation: 'b' }] }),
    "the relation type 'doc#b' on 'a' in object type 'doc' is not valid",
  ],
  [
    'an unknown condition',
    model({ a: [self, { type: 'user', condition: 'nope' }] }),
    'condition nope is undefined for relation a',
  ],
  [
    'a union of one',
    model({ a: [or(self), user] }),
    "invalid relation: 'doc#a' as union has less than 2 children",
  ],
  [
    'an intersection of one',
    model({ a: [and(self), user] }),
    "invalid relation: 'doc#a' as intersection has less than 2 children",
  ],
  [
    'only itself as users',
    model({ a: [self, { type: 'doc', relation: 'a' }] }),
    "the definition of relation 'a' in object type 'doc' is invalid: no entrypoints defined",
  ],
  ['itself among others as users', model({ a: [self, user, { type: 'doc', relation: 'a' }] }), undefined],
  [
    'relations computed of each other',
    model({ a: [computed('b')], b: [computed('a')] }),
    "the definition of relation 'a' in object type 'doc' is invalid: potential loop",
  ],
  [
    'relations computed of each other, and direct',
    model({ a: [or(self, computed('b')), user], b: [or(self, computed('a')), user] }),
    "the definition of relation 'a' in object type 'doc' is invalid: an authorization model cannot contain a cycle",
  ],
  [
    'a cycle behind a relation that is not there',
    model({ a: [computed('b')], b: [or(self, computed('c'), computed('a')), user] }),
    "'doc#c' relation is undefined",
  ],
  [
    'a cycle before a relation that is not there',
    model({ a: [computed('b')], b: [or(self, computed('a'), computed('c')), user] }),
    "the definition of relation 'a' in object type 'doc' is invalid: an authorization model cannot contain a cycle",
  ],
  [
    'a relation that is not there behind one that others lead to',
    model({ p: [self, user], b: [or(computed('p'), computed('c'))], c: [not(computed('a'), computed('b'))] }),
    "'doc#a' relation is undefined",
  ],
  [
    'only its parents',
    model({ a: [from('a', 'p')], p: [self, { type: 'doc' }] }),
    "the definition of relation 'a' in object type 'doc' is invalid: no entrypoints defined",
  ],
  [
    'an intersection of which one operand has nobody',
    model({ a: [and(self, computed('n')), user], n: [from('n', 'p')], p: [self, { type: 'doc' }] }),
    "the definition of relation 'a' in object type 'doc' is invalid: no entrypoints defined",
  ],
  [
    'an exclusion of nobody',
    model({ a: [not(self, computed('n')), user], n: [from('n', 'p')], p: [self, { type: 'doc' }] }),
    "the definition of relation 'a' in object type 'doc' is invalid: no entrypoints defined",
  ],
  [
    'a union of which one operand has nobody',
    model({ a: [or(self, from('a', 'p')), user], p: [self, { type: 'doc' }] }),
    undefined,
  ],
  [
    'a relation met twice',
    model({
      top: [computed('r')],
      r: [and(computed('x'), computed('x'))],
      x: [computed('y')],
      y: [self, user],
    }),
    "the definition of relation 'top' in object type 'doc' is invalid: potential loop",
  ],
  [
    'a tupleset as an unknown type later on',
    model({ a: [self, { type: 'zoo', relation: 'z' }] }, type('zoo', { z: [computed('y')] })),
    "undefined type definition for 'zoo#y'",
  ],
  [
    'a condition under another name',
    {
      ...model({}),
      conditions: {
        cc: { name: 'dd', expression: 'true', parameters: { x: { type_name: 'TYPE_NAME_INT' } } },
      },
    },
    "condition key 'cc' does not match condition name 'dd'",
  ],
  [
    'a name of every object',
    model({ ['constructor' as string]: [self, user], __proto__x: [computed('constructor')] }),
    undefined,
  ],
  [
    'a missing name of every object',
    model({ a: [computed('toString')] }),
    "'doc#toString' relation is undefined",
  ],
]

function messageOf(each: AuthorizationModel, maxTypesPerModel = 100): unknown {
  try {
    validateModel(each, { maxTypesPerModel }, () => {})
  } catch (error) {
    return error
  }
  return undefined
}

describe('a model with', () => {
  it.each(recorded)('%s', (_, each, message) => {
    if (message === undefined) expect(messageOf(each)).toBeUndefined()
    else expect(messageOf(each)).toMatchObject({ number: 2056, message })
  })

  it('more types than may be', () => {
    expect(messageOf(model({}), 1)).toMatchObject({
      number: 2053,
      message: 'The number of type definitions in an authorization model exceeds the allowed limit of 1',
    })
  })

  it('a condition that does not compile', () => {
    const condition = { name: 'cc', expression: 'x <', parameters: {} }
    const broken = new Error('no such expression')
    expect(() =>
      validateModel(
        { ...model({}), conditions: { cc: condition } },
        { maxTypesPerModel: 9 },
        (definition) => {
          expect(definition).toBe(condition)
          throw broken
        },
      ),
    ).toThrow(broken)
  })
})

describe('a model made to take long', () => {
  it('of ten thousand relations computed of each other in a row', () => {
    const chain: Record<string, readonly [Userset, ...RelationReference[]]> = { r10000: [self, user] }
    for (let each = 0; each < 10_000; each++) chain[`r${each}`] = [computed(`r${each + 1}`)]
    expect(messageOf(model(chain))).toBeUndefined()
    expect(messageOf(model({ ...chain, r10000: [computed('r0')] }))).toMatchObject({ number: 2056 })
  })

  it('of types that fan out without an end', () => {
    const types = Array.from({ length: 60 }, (_, each) =>
      type(`t${each}`, {
        p: [self, { type: `t${each + 1}` }],
        a: [or(from('a', 'p'), from('b', 'p'))],
        b: [or(from('a', 'p'), from('b', 'p'))],
      }),
    )
    const dead = type('t60', { a: [from('a', 'q')], b: [from('a', 'q')], q: [self, { type: 't60' }] })
    expect(messageOf(model({}, ...types, dead))).toMatchObject({
      message: "the definition of relation 'a' in object type 't0' is invalid: no entrypoints defined",
    })
  })
})
