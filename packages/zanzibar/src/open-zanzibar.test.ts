import { expect, test } from 'vitest'
import { openZanzibar } from './open-zanzibar.ts'
import { realClock } from './ports.ts'
import { memoryStore } from './store/memory-store.ts'
import type { TupleStore } from './store/tuple-store.ts'

const model = `model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type folder
  relations
    define parent: [folder]
    define viewer: [user, user:*, group#member] or viewer from parent
type document
  relations
    define parent: [folder]
    define owner: [user]
    define blocked: [user]
    define viewer: (owner or viewer from parent) but not blocked
    define reader: [user with on_shift]
condition on_shift(now: timestamp, ends: timestamp) {
  now < ends
}
`

test('a write’s token makes its answer seen, and the moments before stay as they were', async () => {
  await using zanzibar = await openZanzibar({ model })
  const { token: before } = await zanzibar.write({ add: [['user:bob', 'owner', 'document:2']] })
  const { token } = await zanzibar.write({ add: [['user:anne', 'owner', 'document:1']] })
  expect(await zanzibar.check('user:anne', 'viewer', 'document:1', { atLeast: token })).toBe(true)
  expect(await zanzibar.check('user:anne', 'viewer', 'document:1', { exactly: before })).toBe(false)
  expect(zanzibar.checkSync('user:anne', 'viewer', 'document:1')).toBe(true)
})

test('a token is waited for where a store gives the moment before', async () => {
  await using inner = memoryStore()
  let behind = 0
  const store = new Proxy<TupleStore>(inner, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target)
      if (property === 'snapshot')
        return (id: string) => inner.snapshot(id, { revision: inner.revision(id) - behind })
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  await using writer = await openZanzibar({ model, store: inner })
  await using reader = await openZanzibar({ model, store })
  await writer.write({ add: [['user:bob', 'owner', 'document:2']] })
  const { token: atLeast } = await writer.write({ add: [['user:anne', 'owner', 'document:1']] })
  behind = 1
  expect(await reader.check('user:anne', 'viewer', 'document:1')).toBe(false)
  const asked = [
    reader.check('user:anne', 'viewer', 'document:1', { atLeast }),
    reader.listObjectsPage('user:anne', 'owner', 'document', { atLeast, limit: 9 }),
    reader.listUsers('document:1', 'owner', 'user', { atLeast }),
  ] as const
  // One revision later, what is a revision behind is the token's.
  await writer.write({ add: [['user:carl', 'owner', 'document:3']] })
  const [isAllowed, { objects }, { users }] = await Promise.all(asked)
  expect({ isAllowed, objects, users }).toEqual({
    isAllowed: true,
    objects: ['document:1'],
    users: ['user:anne'],
  })
})

test('what depends on a parameter that was not given is conditional, and names it', async () => {
  await using zanzibar = await openZanzibar({ model })
  await zanzibar.write({
    add: [
      {
        user: 'user:anne',
        relation: 'reader',
        object: 'document:1',
        condition: { name: 'on_shift', context: { ends: '2026-11-21T18:00:00Z' } },
      },
    ],
  })
  const at = (now: string) => zanzibar.evaluate('user:anne', 'reader', 'document:1', { context: { now } })
  expect(await at('2026-11-21T17:59:59Z')).toMatchObject({ outcome: 'allowed', missing: [] })
  expect(await at('2026-11-21T18:00:00Z')).toMatchObject({ outcome: 'denied', missing: [] })
  expect(await zanzibar.evaluate('user:anne', 'reader', 'document:1')).toMatchObject({
    outcome: 'conditional',
    missing: ['now'],
  })
  await expect(zanzibar.check('user:anne', 'reader', 'document:1')).rejects.toMatchObject({
    code: 'validation_error',
    number: 2000,
  })
})

test('pages of a list are of one moment, each object once, while others write', async () => {
  await using zanzibar = await openZanzibar({ model })
  const documents = Array.from({ length: 250 }, (_, n) => `document:${String(n).padStart(3, '0')}`)
  await zanzibar.write({ add: documents.map((document) => ['user:anne', 'owner', document] as const) })
  const seen: string[] = []
  let after: string | undefined
  do {
    const page = await zanzibar.listObjectsPage('user:anne', 'viewer', 'document', { limit: 100, after })
    seen.push(...page.objects)
    after = page.next
    await zanzibar.write({
      add: [['user:anne', 'owner', `document:1${seen.length}x`]],
      remove: [['user:anne', 'owner', documents[seen.length - 2] ?? '']],
    })
  } while (after !== undefined)
  expect(seen).toEqual(documents)
})

test('a further page is of the list that it was asked of, and of no other one', async () => {
  const store = memoryStore()
  await using zanzibar = await openZanzibar({ store, model })
  await using other = await openZanzibar({
    store,
    model: model.replace('owner: [user]', 'owner: [user, group]'),
  })
  await zanzibar.write({
    add: ['1', '2', '3'].map((id) => ['user:anne', 'owner', `document:${id}`] as const),
  })
  const contextualTuples = [['user:anne', 'owner', 'document:4']] as const
  const given = { limit: 1, context: { now: 'a' }, contextualTuples }
  const { next: after } = await zanzibar.listObjectsPage('user:anne', 'viewer', 'document', given)
  expect(
    await zanzibar.listObjectsPage('user:anne', 'viewer', 'document', { ...given, after }),
  ).toMatchObject({
    objects: ['document:2'],
  })
  const further = { ...given, after }
  for (const asked of [
    () => zanzibar.listObjectsPage('user:bob', 'viewer', 'document', further),
    () => zanzibar.listObjectsPage('user:anne', 'owner', 'document', further),
    () => zanzibar.listObjectsPage('user:anne', 'viewer', 'folder', further),
    () => zanzibar.listObjectsPage('user:anne', 'viewer', 'document', { ...further, context: { now: 'b' } }),
    () => zanzibar.listObjectsPage('user:anne', 'viewer', 'document', { limit: 1, after }),
    () => other.listObjectsPage('user:anne', 'viewer', 'document', further),
  ]) {
    await expect(asked()).rejects.toMatchObject({
      code: 'invalid_continuation_token',
      message: expect.stringContaining('of another list'),
    })
  }
})

test('who has it: everyone but those who are kept out', async () => {
  await using zanzibar = await openZanzibar({ model })
  await zanzibar.write({
    add: [
      ['folder:1', 'parent', 'document:1'],
      ['user:*', 'viewer', 'folder:1'],
      ['user:anne', 'owner', 'document:1'],
      ['user:bob', 'blocked', 'document:1'],
    ],
  })
  expect(await zanzibar.listUsers('document:1', 'viewer', 'user')).toMatchObject({
    users: ['user:anne'],
    everyone: true,
    except: ['user:bob'],
  })
  await expect(zanzibar.listUsers('document:1', 'viewer', 'person')).rejects.toMatchObject({
    code: 'validation_error',
    message: "cannot list users: type 'person' not found",
  })
  expect(await zanzibar.expand('document:1', 'viewer')).toMatchObject({
    name: 'document:1#viewer',
    difference: { subtract: { leaf: { computed: { userset: 'document:1#blocked' } } } },
  })
})

test('a subscription tells the answer, and each other one that a write makes of it', async () => {
  await using zanzibar = await openZanzibar({ model })
  const subscription = zanzibar.subscribe('user:anne', 'viewer', 'document:1')[Symbol.asyncIterator]()
  expect((await subscription.next()).value).toBe(false)
  const next = subscription.next()
  await zanzibar.write({ add: [['user:bob', 'owner', 'document:1']] })
  await zanzibar.write({ add: [['user:anne', 'owner', 'document:1']] })
  expect((await next).value).toBe(true)
  const then = subscription.next()
  await zanzibar.write({ add: [['user:anne', 'blocked', 'document:1']] })
  expect((await then).value).toBe(false)
  await subscription.return?.()
})

test('a subscription to a list tells what there is, and what writes make of it', async () => {
  await using zanzibar = await openZanzibar({ model })
  await zanzibar.write({
    add: [
      ['user:anne', 'owner', 'document:1'],
      ['user:anne', 'owner', 'document:2'],
    ],
  })
  const ended = new AbortController()
  const { signal } = ended
  const told = zanzibar.subscribeObjects('user:anne', 'viewer', 'document', { signal })
  const subscription = told[Symbol.asyncIterator]()
  expect((await subscription.next()).value).toMatchObject({
    added: ['document:1', 'document:2'],
    removed: [],
  })
  const next = subscription.next()
  await zanzibar.write({ add: [['user:bob', 'owner', 'document:4']] })
  const { token } = await zanzibar.write({
    add: [
      ['user:anne', 'owner', 'document:3'],
      ['user:anne', 'blocked', 'document:1'],
    ],
  })
  expect((await next).value).toEqual({ added: ['document:3'], removed: ['document:1'], token })
  const last = subscription.next()
  ended.abort()
  expect(await last).toEqual({ done: true, value: undefined })
  const undefinedRelation = zanzibar.subscribeObjects('user:anne', 'nothing', 'document')
  await expect(Array.fromAsync(undefinedRelation)).rejects.toMatchObject({ code: 'validation_error' })
})

test('a watch goes on where another one stopped, in the middle of a write too', async () => {
  await using zanzibar = await openZanzibar({ model })
  const { token } = await zanzibar.write({ add: [['user:anne', 'owner', 'document:1']] })
  await zanzibar.write({
    add: [
      ['user:anne', 'owner', 'document:2'],
      ['user:anne', 'owner', 'document:3'],
      ['user:anne', 'member', 'group:1'],
    ],
  })
  const objects: string[] = []
  let after: number | undefined
  for (const _ of [1, 2, 3]) {
    for await (const change of zanzibar.watch({ from: token, ...(after !== undefined && { after }) })) {
      objects.push(change.tuple.object)
      after = change.position
      break
    }
  }
  expect(objects).toEqual(['document:2', 'document:3', 'group:1'])
  const over = new AbortController()
  const watching = zanzibar.watch({ from: token, types: ['folder'], signal: over.signal })
  const waiting = watching[Symbol.asyncIterator]()
  const first = waiting.next()
  await zanzibar.write({ add: [['user:anne', 'viewer', 'folder:1']] })
  expect((await first).value).toMatchObject({ operation: 'write', tuple: { object: 'folder:1' } })
  over.abort()
  expect((await waiting.next()).done).toBe(true)
})

test('explains a yes by its way, and a no by what blocks it or is missing', async () => {
  await using zanzibar = await openZanzibar({ model })
  await zanzibar.write({
    add: [
      ['user:anne', 'owner', 'document:1'],
      ['user:bob', 'owner', 'document:1'],
      ['user:bob', 'blocked', 'document:1'],
    ],
  })
  const viewer = (user: string) => zanzibar.explain(user, 'viewer', 'document:1')
  expect(await viewer('user:anne')).toMatchObject({ allowed: true, proof: { userset: 'document:1#viewer' } })
  expect(await viewer('user:bob')).toMatchObject({
    allowed: false,
    blocking: [{ user: 'user:bob', relation: 'blocked', object: 'document:1' }],
    missing: [],
  })
  const { missing } = { missing: [], ...(await viewer('user:carl')) }
  expect(missing).not.toEqual([])
  expect(await zanzibar.check('user:carl', 'viewer', 'document:1', { contextualTuples: missing })).toBe(true)
  await expect(zanzibar.explain('user:carl', 'viewr', 'document:1')).rejects.toMatchObject({
    code: 'validation_error',
  })
})

test('contextual tuples are there for their question only', async () => {
  await using zanzibar = await openZanzibar({ model })
  const contextualTuples = [
    ['group:eng#member', 'viewer', 'folder:1'],
    ['user:anne', 'member', 'group:eng'],
    ['folder:1', 'parent', 'document:1'],
  ] as const
  expect(await zanzibar.check('user:anne', 'viewer', 'document:1', { contextualTuples })).toBe(true)
  expect(await zanzibar.check('user:anne', 'viewer', 'document:1')).toBe(false)
})

test('a contextual tuple that has expired does not count', async () => {
  let now = 1000
  await using zanzibar = await openZanzibar({ model, clock: { ...realClock, now: () => now } })
  const tuple = { user: 'user:anne', relation: 'owner', object: 'document:1', expiresAt: 2000 }
  const asked = { contextualTuples: [tuple] }
  expect(await zanzibar.check('user:anne', 'viewer', 'document:1', asked)).toBe(true)
  now = 2000
  expect(await zanzibar.check('user:anne', 'viewer', 'document:1', asked)).toBe(false)
  expect(await Array.fromAsync(zanzibar.listObjects('user:anne', 'viewer', 'document', asked))).toEqual([])
  const never = { contextualTuples: [{ ...tuple, expiresAt: Number.NaN }] }
  await expect(zanzibar.check('user:anne', 'viewer', 'document:1', never)).rejects.toMatchObject({
    code: 'invalid_tuple',
    message: expect.stringContaining('expiresAt must be a whole number'),
  })
})

test('a group of 20,000 levels is followed to its end', async () => {
  await using zanzibar = await openZanzibar({ model })
  const levels = 20_000
  for (let from = 0; from < levels; from += 10_000) {
    const add = Array.from(
      { length: 10_000 },
      (_, n) => [`group:${from + n + 1}#member`, 'member', `group:${from + n}`] as const,
    )
    await zanzibar.write({ add })
  }
  await zanzibar.write({ add: [['user:anne', 'member', `group:${levels}`]] })
  expect(await zanzibar.check('user:anne', 'member', 'group:0')).toBe(true)
  expect(await zanzibar.check('user:bob', 'member', 'group:0')).toBe(false)
}, 60_000)

test.each([
  ['user:anne', 'viewr', 'document:1', "relation 'document#viewr' not found"],
  ['person:anne', 'viewer', 'document:1', "type 'person' not found"],
  ['user:anne', 'viewer', 'document', "invalid 'object' field format"],
])('check(%s, %s, %s) is refused: %s', async (user, relation, object, message) => {
  await using zanzibar = await openZanzibar({ model })
  await expect(zanzibar.check(user, relation, object)).rejects.toMatchObject({
    code: 'validation_error',
    message: expect.stringContaining(message),
  })
})

test('pages that begin anew see what has expired since, and others are of their own moment', async () => {
  let now = 1000
  const store = memoryStore({ clock: { ...realClock, now: () => now } })
  await using zanzibar = await openZanzibar({ store, model })
  await zanzibar.write({
    add: [
      { user: 'user:zoe', relation: 'owner', object: 'document:1', expiresAt: 2000 },
      ['user:zoe', 'owner', 'document:2'],
      ['user:zoe', 'owner', 'document:3'],
    ],
  })
  const page = (after?: string): ReturnType<typeof zanzibar.listObjectsPage> =>
    zanzibar.listObjectsPage('user:zoe', 'viewer', 'document', { limit: 1, after })
  const first = await page()
  expect(first.objects).toEqual(['document:1'])
  now = 3000
  expect((await page(first.next)).objects).toEqual(['document:2'])
  expect((await page()).objects).toEqual(['document:2'])
})

test.each([0, -1, 1.5, Number.NaN])('an expansion by %s levels is refused', async (depth) => {
  await using zanzibar = await openZanzibar({ model })
  await expect(zanzibar.expand('document:1', 'viewer', { depth })).rejects.toMatchObject({
    code: 'invalid_option',
  })
})
