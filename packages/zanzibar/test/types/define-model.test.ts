import {
  and,
  butNot,
  type ContextOf,
  defineModel,
  direct,
  from,
  type ObjectRef,
  openZanzibar,
  or,
  parseModel,
  type RelationOf,
  type Subject,
  type TypedModel,
} from '@loadbearing/zanzibar'
import { expect, expectTypeOf, test } from 'vitest'

const model = defineModel(
  {
    user: {},
    group: { member: direct('user', 'group#member', 'user:* with in_office') },
    folder: {
      parent: direct('folder'),
      viewer: or(direct('user', 'user:*', 'group#member'), from('viewer', 'parent')),
    },
    document: {
      parent: direct('folder'),
      owner: direct('user'),
      blocked: direct('user'),
      editor: and('owner', 'viewer'),
      viewer: butNot(or('owner', from('viewer', 'parent')), 'blocked'),
    },
  },
  {
    in_office: {
      parameters: { ip: 'ipaddress', ranges: 'list<string>' },
      expression: 'ranges.exists(r, ip.in_cidr(r))',
    },
  },
)

test('a model of TypeScript is the one of the DSL', () => {
  expect(model).toEqual(
    parseModel(`model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member, user:* with in_office]
type folder
  relations
    define parent: [folder]
    define viewer: [user, user:*, group#member] or viewer from parent
type document
  relations
    define parent: [folder]
    define owner: [user]
    define blocked: [user]
    define editor: owner and viewer
    define viewer: (owner or viewer from parent) but not blocked
condition in_office(ip: ipaddress, ranges: list<string>) {
  ranges.exists(r, ip.in_cidr(r))
}
`),
  )
})

test('what is not defined does not compile', () => {
  const { type_definitions: types } = defineModel({
    user: {},
    folder: {
      // @ts-expect-error there is no type `usr`
      owner: direct('usr'),
      // @ts-expect-error `folder` has no relation `members`
      member: direct('user', 'folder#members'),
      viewer: direct('user', 'folder'),
    },
    document: {
      parent: direct('folder'),
      owner: direct('user'),
      // @ts-expect-error there is no relation `ownr`
      editor: or('ownr', 'owner'),
      // @ts-expect-error nor further in
      viewer: butNot('owner', or('owner', and('owner', 'ownr'))),
      // @ts-expect-error there is no relation `folder`
      reader: from('viewer', 'folder'),
      // @ts-expect-error what `parent` leads to has no relation `reader`
      author: from('reader', 'parent'),
    },
  })
  expect(types).toHaveLength(3)
  const conditions = { in_office: { parameters: {}, expression: 'true' } } as const
  defineModel(
    {
      user: {},
      group: {
        member: direct('user with in_office'),
        // @ts-expect-error there is no condition `in_ofice`
        guest: direct('user with in_ofice'),
      },
    },
    conditions,
  )
})

type Of<M> =
  M extends TypedModel<infer Types, infer Named> ? { definitions: Types; conditions: Named } : never
type D = Of<typeof model>['definitions']

test('a model knows what may be asked of it', () => {
  expectTypeOf<RelationOf<D, 'folder:1'>>().toEqualTypeOf<'parent' | 'viewer'>()
  expectTypeOf<'group:eng#member'>().toExtend<Subject<D>>()
  expectTypeOf<'user:*'>().toExtend<Subject<D>>()
  expectTypeOf<'usr:anne'>().not.toExtend<Subject<D>>()
  expectTypeOf<'document:1'>().toExtend<ObjectRef<D>>()
  expectTypeOf<ContextOf<Of<typeof model>['conditions']>>().toEqualTypeOf<
    Partial<{ readonly ip: string; readonly ranges: readonly string[] }>
  >()
})

test('questions to a model of TypeScript are held to its types', async () => {
  await using authorization = await openZanzibar({ model })
  await authorization.write({ add: [['user:anne', 'owner', 'document:1']] })
  expect(await authorization.check('user:anne', 'viewer', 'document:1')).toBe(true)
  expectTypeOf(authorization.listObjects('user:anne', 'viewer', 'folder')).toEqualTypeOf<
    AsyncIterable<`folder:${string}`>
  >()
  const wrong = [
    // @ts-expect-error a document has no relation `viewr`
    authorization.check('user:anne', 'viewr', 'document:1'),
    // @ts-expect-error there is no type `usr`
    authorization.check('usr:anne', 'viewer', 'document:1'),
    // @ts-expect-error a user has no relations
    authorization.listUsers('user:anne', 'viewer', 'user'),
    // @ts-expect-error `ranges` is a list
    authorization.evaluate('user:anne', 'owner', 'document:1', { context: { ranges: '10.0.0.0/8' } }),
  ]
  const results = await Promise.allSettled(wrong)
  expect(results.slice(0, 3).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
})

test('pages and subscriptions are held to the types of a model as well', async () => {
  await using authorization = await openZanzibar({ model })
  await authorization.write({ add: [['user:anne', 'owner', 'document:1']] })
  const page = await authorization.listObjectsPage('user:anne', 'viewer', 'document', { limit: 1 })
  expect(page).toMatchObject({ objects: ['document:1'], next: undefined })
  const first = async <T>(told: AsyncIterable<T>): Promise<T | undefined> => {
    for await (const each of told) return each
    return undefined
  }
  expect(await first(authorization.subscribe('user:anne', 'viewer', 'document:1'))).toBe(true)
  const objects = authorization.subscribeObjects('user:anne', 'viewer', 'document', {
    context: { ip: '10.0.0.1' },
  })
  expect(await first(objects)).toMatchObject({ added: ['document:1'], removed: [] })
  const wrong = [
    // @ts-expect-error a folder has no owner
    authorization.listObjectsPage('user:anne', 'owner', 'folder', { limit: 1 }),
    // @ts-expect-error there is no type `usr`
    authorization.listObjectsPage('usr:anne', 'viewer', 'folder', { limit: 1 }),
    // @ts-expect-error a document has no relation `viewr`
    first(authorization.subscribe('user:anne', 'viewr', 'document:1')),
    // @ts-expect-error there is no type `docs`
    first(authorization.subscribe('user:anne', 'viewer', 'docs:1')),
    // @ts-expect-error a folder has no relation `editor`
    first(authorization.subscribeObjects('user:anne', 'editor', 'folder')),
    // @ts-expect-error there is no type `docs`
    first(authorization.subscribeObjects('user:anne', 'viewer', 'docs')),
  ]
  for (const { status } of await Promise.allSettled(wrong)) expect(status).toBe('rejected')
  // @ts-expect-error `ranges` is a list
  authorization.subscribe('user:anne', 'owner', 'document:1', { context: { ranges: '10.0.0.0/8' } })
  // @ts-expect-error a subscription has no moment
  authorization.subscribeObjects('user:anne', 'owner', 'document', { exactly: page.token })
})

test('explanations, several questions and trees are held to the types of a model', async () => {
  await using authorization = await openZanzibar({ model })
  const wrong = [
    // @ts-expect-error a document has no relation `viewr`
    authorization.explain('user:anne', 'viewr', 'document:1'),
    // @ts-expect-error a folder has no relation `owner`
    authorization.checkMany([['user:anne', 'owner', 'folder:1']]),
    // @ts-expect-error there is no type `usr`
    authorization.checkMany([['usr:anne', 'owner', 'document:1']]),
    // @ts-expect-error a document has no relation `viewr`
    authorization.expand('document:1', 'viewr'),
  ]
  for (const { status } of await Promise.allSettled(wrong)) expect(status).toBe('rejected')
  const many = await authorization.checkMany([
    ['user:anne', 'viewer', 'folder:1'],
    ['group:eng#member', 'owner', 'document:1'],
  ])
  expect(many).toEqual([false, false])
  expect(await authorization.explain('user:anne', 'owner', 'document:1')).toMatchObject({ allowed: false })
  expect(await authorization.expand('document:1', 'owner')).toBeDefined()
})

test('what is written is held to the types of a model', async () => {
  await using authorization = await openZanzibar({ model })
  const inOffice = { name: 'in_office', context: { ranges: ['10.0.0.0/8'] } } as const
  await authorization.write({
    add: [
      { user: 'user:*', relation: 'member', object: 'group:eng', condition: inOffice },
      ...['1', '2'].map((id) => ['user:anne', 'owner', `document:${id}`] as const),
    ],
  })
  const wrong = [
    // @ts-expect-error a folder has no relation `owner`
    authorization.write({ add: [['user:anne', 'owner', 'folder:1']] }),
    // @ts-expect-error there is no type `usr`
    authorization.write({ add: [{ user: 'usr:anne', relation: 'owner', object: 'document:1' }] }),
    authorization.write({
      // @ts-expect-error there is no condition `in_ofice`
      add: [{ user: 'user:*', relation: 'member', object: 'group:eng', condition: { name: 'in_ofice' } }],
    }),
    authorization.check('user:anne', 'viewer', 'document:1', {
      // @ts-expect-error a document has no relation `ownr`
      contextualTuples: [['user:anne', 'ownr', 'document:1']],
    }),
  ]
  for (const { status } of await Promise.allSettled(wrong)) expect(status).toBe('rejected')
  // What an earlier model defined can go.
  await authorization.write({ remove: [['user:anne', 'keeper', 'document:1']], onMissing: 'ignore' })
  // @ts-expect-error there is no type `docs`
  authorization.watch({ types: ['docs'] })
  authorization.watch({ types: ['document'] })
})

test('what is read is held to the types of a model, and so is what is found', async () => {
  await using authorization = await openZanzibar({ model })
  await authorization.write({ add: [['user:anne', 'owner', 'document:1']] })
  for await (const { tuple } of authorization.read({
    object: 'document:',
    relation: 'owner',
    user: 'user:',
  })) {
    expectTypeOf(tuple.object).toEqualTypeOf<`document:${string}`>()
    expect(await authorization.check(tuple.user, tuple.relation, tuple.object)).toBe(true)
  }
  const all = await Array.fromAsync(authorization.read())
  expect(all).toHaveLength(1)
  expectTypeOf(all[0]?.tuple.object).toEqualTypeOf<string | undefined>()
  const some = await Array.fromAsync(authorization.read({ relation: 'owner' }))
  expect(some).toEqual(all)
  expectTypeOf(some[0]?.tuple.relation).toEqualTypeOf<'owner' | undefined>()
  expectTypeOf(some[0]?.tuple.user).toEqualTypeOf<string | undefined>()
  const wrong = [
    // @ts-expect-error there is no type `docs`
    authorization.read({ object: 'docs:' }),
    // @ts-expect-error a folder has no relation `owner`
    authorization.read({ object: 'folder:1', relation: 'owner' }),
    // @ts-expect-error there is no relation `ownr`
    authorization.read({ relation: 'ownr' }),
    // @ts-expect-error there is no type `usr`
    authorization.read({ user: 'usr:anne' }),
  ]
  for (const each of wrong) expect(await Array.fromAsync(each)).toEqual([])
})

test('what is listed can be asked about', async () => {
  await using authorization = await openZanzibar({ model })
  await authorization.write({ add: [['user:anne', 'owner', 'document:1']] })
  for await (const document of authorization.listObjects('user:anne', 'owner', 'document')) {
    expect(await authorization.check('user:anne', 'editor', document)).toBe(true)
    const { users } = await authorization.listUsers(document, 'owner', 'user')
    for (const user of users) expect(await authorization.check(user, 'owner', document)).toBe(true)
    expectTypeOf(users).toEqualTypeOf<readonly `user:${string}`[]>()
  }
  const { users: groups } = await authorization.listUsers('folder:1', 'viewer', 'group#member')
  expectTypeOf(groups).toEqualTypeOf<readonly `group:${string}#member`[]>()
})

test('a model of the DSL is asked with any text', async () => {
  await using authorization = await openZanzibar({ model: 'model\n  schema 1.1\ntype user\n' })
  expectTypeOf(authorization.check).parameter(0).toEqualTypeOf<string>()
  expect(authorization.storeId).not.toBe('')
})
