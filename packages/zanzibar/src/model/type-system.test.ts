import { expect, test } from 'vitest'
import type { AuthorizationModel, RelationReference, Userset } from './authorization-model.ts'
import { type Relation, type TypeSystem, typeSystem } from './type-system.ts'

const direct: Userset = { this: {} }
const computed = (relation: string): Userset => ({ computedUserset: { relation } })
const from = (relation: string, tupleset: string): Userset => ({
  tupleToUserset: { tupleset: { relation: tupleset }, computedUserset: { relation } },
})

/** Each relation as its rewrite and its restrictions, in the words of the DSL. */
type Types = Record<string, Record<string, readonly [Userset, ...string[]]>>

function model(types: Types): AuthorizationModel {
  const restriction = (text: string): RelationReference => {
    const [type = '', relation] = text.split('#')
    return type.endsWith(':*')
      ? { type: type.slice(0, -2), wildcard: {} }
      : { type, ...(relation === undefined ? {} : { relation }) }
  }
  return {
    schema_version: '1.1',
    type_definitions: Object.entries(types).map(([type, relations]) => ({
      type,
      relations: Object.fromEntries(Object.entries(relations).map(([name, [rewrite]]) => [name, rewrite])),
      metadata: {
        relations: Object.fromEntries(
          Object.entries(relations).map(([name, [, ...restrictions]]) => [
            name,
            { directly_related_user_types: restrictions.map(restriction) },
          ]),
        ),
      },
    })),
  }
}

function system(types: Types): TypeSystem {
  return typeSystem(model(types), () => {
    throw new Error('No condition here.')
  })
}

function relationOf(types: TypeSystem, type: string, name: string): Relation {
  const relation = types.relation(type, name)
  if (relation === undefined) throw new Error(`No ${type}#${name}.`)
  return relation
}

test('a user reaches what it is assigned to, directly or through any operand', () => {
  const types = system({
    user: {},
    bot: {},
    group: { member: [direct, 'user', 'group#member'] },
    folder: {
      owner: [direct, 'user:*'],
      viewer: [{ union: { child: [direct, computed('owner')] } }, 'group#member'],
    },
    document: {
      parent: [direct, 'folder'],
      blocked: [direct, 'bot'],
      viewer: [{ difference: { base: from('viewer', 'parent'), subtract: computed('blocked') } }],
    },
  })
  const reached = (user: string): string[] =>
    types.relations.filter((each) => types.reaches(user, each)).map(({ type, name }) => `${type}#${name}`)
  expect(reached('user')).toEqual(['group#member', 'folder#viewer', 'document#viewer'])
  expect(reached('user:*')).toEqual(['folder#owner', 'folder#viewer', 'document#viewer'])
  expect(reached('group#member')).toEqual(['group#member', 'folder#viewer', 'document#viewer'])
  expect(reached('bot')).toEqual(['document#blocked', 'document#viewer'])
  expect(reached('folder')).toEqual(['document#parent'])
  expect(reached('folder#owner')).toEqual(['folder#owner', 'folder#viewer', 'document#viewer'])
  expect(reached('nobody')).toEqual([])
})

test('a recursion through unions only is monotone, one under an exclusion is not', () => {
  const types = system({
    user: {},
    folder: {
      parent: [direct, 'folder'],
      blocked: [direct, 'user', 'folder#blocked'],
      viewer: [
        {
          difference: {
            base: { union: { child: [direct, from('viewer', 'parent')] } },
            subtract: computed('blocked'),
          },
        },
        'user',
      ],
    },
  })
  expect(relationOf(types, 'folder', 'parent').recursion).toMatchObject({ isRecursive: false })
  expect(relationOf(types, 'folder', 'blocked').recursion).toMatchObject({
    isRecursive: true,
    isMonotone: true,
  })
  expect(relationOf(types, 'folder', 'viewer').recursion).toMatchObject({
    isRecursive: true,
    isMonotone: false,
  })
})

test('relations that lead to each other are one recursion', () => {
  const types = system({
    user: {},
    a: { r: [direct, 'user', 'b#s'] },
    b: { s: [direct, 'a#r', 'c#t'] },
    c: { t: [direct, 'user'] },
  })
  const [r, s, t] = [relationOf(types, 'a', 'r'), relationOf(types, 'b', 's'), relationOf(types, 'c', 't')]
  expect(r.recursion).toBe(s.recursion)
  expect(t.recursion).not.toBe(s.recursion)
  expect(r.recursion).toMatchObject({ isRecursive: true, isMonotone: true })
})

test('a type or relation named as a property of every object is none', () => {
  const users: readonly [Userset, ...string[]] = [direct, 'user']
  const types = system({ user: {}, constructor: { ['__proto__']: users } })
  expect(types.hasType('constructor')).toBe(true)
  expect(types.hasType('toString')).toBe(false)
  expect(types.relation('constructor', '__proto__')?.name).toBe('__proto__')
  expect(types.restrictionsOf('constructor', 'toString')).toBeUndefined()
  expect(types.hasCondition('toString')).toBe(false)
})

test('the parent of a `viewer from parent` is a tupleset', () => {
  const types = system({
    folder: { viewer: [direct, 'folder'], parent: [direct, 'folder'] },
    document: { parent: [direct, 'folder', 'document'], viewer: [from('viewer', 'parent')] },
  })
  expect(types.isTupleset('document', 'parent')).toBe(true)
  expect(types.isTupleset('folder', 'parent')).toBe(false)
  const { rewrite } = relationOf(types, 'document', 'viewer')
  expect(rewrite.kind === 'from' && [...rewrite.computed.keys()]).toEqual(['folder', 'document'])
})
