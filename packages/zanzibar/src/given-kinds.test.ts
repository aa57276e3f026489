import { describe, expect, test } from 'vitest'
import { sqliteStore } from './adapters/sqlite.ts'
import * as api from './index.ts'

const model = `model
  schema 1.1
type user
type doc
  relations
    define viewer: [user, user with c]
condition c(x: int) { x < 3 }
`
const circle: Record<string, unknown> = {}
circle['circle'] = circle
const strangers: readonly unknown[] = [
  undefined,
  null,
  7,
  Number.NaN,
  true,
  Symbol('x'),
  10n,
  'x',
  () => 1,
  new Date(),
  new Map(),
  {},
  Object.create(null),
  circle,
  [],
  [1],
  [null],
  [undefined],
  [{}],
  [[]],
  [circle],
]

/** A caller without types. */
type Untyped = Record<string, (...given: unknown[]) => unknown>
const untyped = api as unknown as Untyped
const sqlite = sqliteStore as unknown as (options: unknown) => unknown
const [u, r, o] = ['user:a', 'viewer', 'doc:1']
const tuple = { user: u, relation: r, object: o }
const ended = AbortSignal.abort()

async function first(items: unknown): Promise<unknown> {
  for await (const item of items as AsyncIterable<unknown>) return item
  return undefined
}

/** Each place where something may be given, of a question and of what is made without one. */
const questions: Readonly<Record<string, (zanzibar: Untyped, x: unknown) => unknown>> = {
  'check.user': (z, x) => z['check']?.(x, r, o),
  'check.relation': (z, x) => z['check']?.(u, x, o),
  'check.object': (z, x) => z['check']?.(u, r, x),
  'check.options': (z, x) => z['check']?.(u, r, o, x),
  'check.context': (z, x) => z['check']?.('user:b', r, o, { context: x }),
  'check.context.x': (z, x) => z['check']?.('user:b', r, o, { context: { x } }),
  'check.contextualTuples': (z, x) => z['check']?.(u, r, o, { contextualTuples: x }),
  'check.atLeast': (z, x) => z['check']?.(u, r, o, { atLeast: x }),
  'check.exactly': (z, x) => z['check']?.(u, r, o, { exactly: x }),
  'check.signal': (z, x) => z['check']?.(u, r, o, { signal: x }),
  'contextual.user': (z, x) => z['check']?.(u, r, o, { contextualTuples: [{ ...tuple, user: x }] }),
  'contextual.condition': (z, x) => z['check']?.(u, r, o, { contextualTuples: [{ ...tuple, condition: x }] }),
  'contextual.condition.name': (z, x) =>
    z['check']?.(u, r, o, { contextualTuples: [{ ...tuple, condition: { name: x } }] }),
  'contextual.condition.context': (z, x) =>
    z['check']?.(u, r, o, { contextualTuples: [{ ...tuple, condition: { name: 'c', context: x } }] }),
  'checkSync.user': (z, x) => z['checkSync']?.(x, r, o),
  'evaluate.relation': (z, x) => z['evaluate']?.(u, x, o),
  'explain.object': (z, x) => z['explain']?.(u, r, x),
  'explain.context': (z, x) => z['explain']?.('user:b', r, o, { context: x }),
  checkMany: (z, x) => z['checkMany']?.(x),
  'checkMany.question': (z, x) => z['checkMany']?.([x]),
  'checkMany.user': (z, x) => z['checkMany']?.([[x, r, o]]),
  'listObjects.user': (z, x) => first(z['listObjects']?.(x, r, 'doc')),
  'listObjects.relation': (z, x) => first(z['listObjects']?.(u, x, 'doc')),
  'listObjects.type': (z, x) => first(z['listObjects']?.(u, r, x)),
  'listObjects.options': (z, x) => first(z['listObjects']?.(u, r, 'doc', x)),
  'listObjectsPage.options': (z, x) => z['listObjectsPage']?.(u, r, 'doc', x),
  'listObjectsPage.user': (z, x) => z['listObjectsPage']?.(x, r, 'doc', { limit: 1 }),
  'listObjectsPage.limit': (z, x) => z['listObjectsPage']?.(u, r, 'doc', { limit: x }),
  'listObjectsPage.after': (z, x) => z['listObjectsPage']?.(u, r, 'doc', { limit: 1, after: x }),
  'listUsers.object': (z, x) => z['listUsers']?.(x, r, 'user'),
  'listUsers.relation': (z, x) => z['listUsers']?.(o, x, 'user'),
  'listUsers.filter': (z, x) => z['listUsers']?.(o, r, x),
  'expand.object': (z, x) => z['expand']?.(x, r),
  'expand.depth': (z, x) => z['expand']?.(o, r, { depth: x }),
  'subscribe.user': (z, x) => first(z['subscribe']?.(x, r, o)),
  'subscribe.options': (z, x) => first(z['subscribe']?.(u, r, o, x)),
  'subscribeObjects.type': (z, x) => first(z['subscribeObjects']?.(u, r, x)),
  'subscribeObjects.options': (z, x) => first(z['subscribeObjects']?.(u, r, 'doc', x)),
  watch: (z, x) => first(z['watch']?.(x)),
  'watch.after': (z, x) => first(z['watch']?.({ after: x, signal: ended })),
  'watch.from': (z, x) => first(z['watch']?.({ from: x, signal: ended })),
  'watch.types': (z, x) => first(z['watch']?.({ types: x, signal: ended })),
  'watch.signal': (z, x) => first(z['watch']?.({ signal: x })),
  write: (z, x) => z['write']?.(x),
  'write.add': (z, x) => z['write']?.({ add: x }),
  'write.add.tuple': (z, x) => z['write']?.({ add: [x] }),
  'write.add.object': (z, x) => z['write']?.({ add: [[u, r, x]] }),
  'write.add.expiresAt': (z, x) => z['write']?.({ add: [{ ...tuple, expiresAt: x }], onDuplicate: 'ignore' }),
  'write.add.condition.context': (z, x) =>
    z['write']?.({ add: [{ ...tuple, object: 'doc:2', condition: { name: 'c', context: x } }] }),
  'write.remove': (z, x) => z['write']?.({ remove: x }),
  'write.removeWhere': (z, x) => z['write']?.({ removeWhere: x }),
  'write.removeWhere.user': (z, x) => z['write']?.({ removeWhere: [{ user: x, object: 'doc:9' }] }),
  'write.if': (z, x) => z['write']?.({ add: [tuple], onDuplicate: 'ignore', if: x }),
  'write.if.filter': (z, x) =>
    z['write']?.({ add: [tuple], onDuplicate: 'ignore', if: [{ filter: x, exists: true }] }),
  'write.if.exists': (z, x) =>
    z['write']?.({ add: [tuple], onDuplicate: 'ignore', if: [{ filter: { user: u }, exists: x }] }),
  'write.onDuplicate': (z, x) => z['write']?.({ add: [tuple], onDuplicate: x }),
  'write.onMissing': (z, x) => z['write']?.({ remove: [tuple], onMissing: x }),
  read: (z, x) => first(z['read']?.(x)),
  'read.user': (z, x) => first(z['read']?.({ user: x })),
}

const makings: Readonly<Record<string, (x: unknown) => unknown>> = {
  ...Object.fromEntries(
    ['model', 'store', 'name', 'limits', 'semantics', 'closureIndex', 'tokenWait', 'onEvent', 'clock'].map(
      (option) => [
        `openZanzibar.${option}`,
        (x: unknown) => untyped['openZanzibar']?.({ model, [option]: x }),
      ],
    ),
  ),
  ...Object.fromEntries(
    [
      'openZanzibar',
      'openFgaApi',
      'memoryStore',
      'parseModel',
      'parseModules',
      'validateDsl',
      'readModel',
      'printModel',
      'printModelGraph',
      'printTypedModel',
      'lintModel',
      'v2Differences',
      'planModel',
      'compileCondition',
      'defineModel',
      'direct',
      'isZanzibarError',
    ].map((name) => [name, (x: unknown) => untyped[name]?.(x)]),
  ),
  'openZanzibar.limits.resolveNodeLimit': (x) =>
    untyped['openZanzibar']?.({ model, limits: { resolveNodeLimit: x } }),
  'memoryStore.history': (x) => untyped['memoryStore']?.({ history: x }),
  'memoryStore.clock': (x) => untyped['memoryStore']?.({ clock: x }),
  sqliteStore: (x) => sqlite(x),
  'openFgaApi.store': (x) => untyped['openFgaApi']?.({ store: x }),
  'parseModules.file': (x) => untyped['parseModules']?.([x]),
  'diffModels.before': (x) => untyped['diffModels']?.(x, api.parseModel(model)),
  'diffModels.after': (x) => untyped['diffModels']?.(api.parseModel(model), x),
  'compileCondition.expression': (x) => untyped['compileCondition']?.({ name: 'c', expression: x }),
  'defineModel.relation': (x) => untyped['defineModel']?.({ user: {}, doc: { viewer: x } }),
  'or.operand': (x) => untyped['defineModel']?.({ user: {}, doc: { viewer: untyped['or']?.(x) } }),
}

/** What is neither an answer nor one of the package's own errors. */
async function surprise(given: unknown, work: (given: unknown) => unknown): Promise<unknown> {
  try {
    await work(given)
    return undefined
  } catch (error) {
    return api.isZanzibarError(error) ? undefined : error
  }
}

describe.each(['memory', 'sqlite'])(
  'whatever is given in place of what is asked for, with a store: %s',
  (kind) => {
    test.each(Object.entries(questions))('%s', async (_, ask) => {
      await using store = kind === 'memory' ? api.memoryStore() : sqliteStore({ path: ':memory:' })
      await using zanzibar = await api.openZanzibar({ store, model, tokenWait: 1 })
      const conditioned = { ...tuple, user: 'user:b', condition: { name: 'c' } }
      await zanzibar.write({ add: [tuple, conditioned] })
      for (const given of strangers) {
        expect(await surprise(given, (x) => ask(zanzibar as unknown as Untyped, x))).toBeUndefined()
      }
    })
  },
)

test.each(Object.entries(makings))('whatever is given in place of what is asked for: %s', async (_, make) => {
  for (const given of strangers) expect(await surprise(given, make)).toBeUndefined()
})

test('what is at fault is named', async () => {
  await using opened = await api.openZanzibar({ model })
  const zanzibar = opened as unknown as Untyped
  const fault = async (work: () => unknown): Promise<unknown> => {
    const error: unknown = await (async () => {
      await work()
    })().catch((thrown: unknown) => thrown)
    return api.isZanzibarError(error) ? `${error.code}: ${error.message}` : error
  }
  expect(await fault(() => zanzibar['check']?.(undefined, r, o))).toBe(
    'invalid_option: user must be a text, not undefined',
  )
  expect(await fault(() => zanzibar['check']?.(u, r, o, { context: { at: { now: new Date() } } }))).toBe(
    'invalid_option: context.at.now must be JSON, not Date',
  )
  expect(await fault(() => zanzibar['check']?.(u, r, o, { context: { a: circle } }))).toBe(
    'invalid_option: context.a.circle must be JSON, which holds nothing that holds it, not an object',
  )
  const nested = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)
  expect(await fault(() => zanzibar['check']?.(u, r, o, { context: nested(1000) }))).toBeUndefined()
  expect(await fault(() => zanzibar['check']?.(u, r, o, { context: nested(1001) }))).toMatch(
    /^invalid_option: context(\.a){20} must be JSON of 1000 levels, not an object$/,
  )
  expect(await fault(() => zanzibar['write']?.({ add: [tuple, [u, r]] }))).toBe(
    'invalid_option: add[1].object must be a text, not undefined',
  )
  expect(await fault(() => untyped['openZanzibar']?.({ model, semantics: 'openfga-v3' }))).toBe(
    'invalid_option: semantics must be "openfga-v1" or "openfga-v2", not "openfga-v3"',
  )
  expect(
    await fault(() => untyped['openZanzibar']?.({ model, limits: { maxConditionCost: Number.NaN } })),
  ).toBe('invalid_option: limits.maxConditionCost must be a number, 0 or more, not NaN')
})

test('what is undefined in a context is not given, as in JSON', async () => {
  await using zanzibar = await api.openZanzibar({ model })
  const condition = { name: 'c', context: { x: undefined } as unknown as api.Context }
  await zanzibar.write({ add: [{ ...tuple, condition }] })
  const asked = (context: object): Promise<boolean> =>
    zanzibar.check(u, r, o, { context: context as unknown as api.Context })
  expect(await asked({ x: 1, other: undefined })).toBe(true)
  await expect(asked({ x: undefined })).rejects.toMatchObject({ missing: ['x'] })
})
