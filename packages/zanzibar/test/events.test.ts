import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, onTestFinished, test, vi } from 'vitest'
import { memoryStore, openFgaApi, openZanzibar, type QueryEvent, type ZanzibarEvent } from '../src/index.ts'

const model = `
model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type document
  relations
    define viewer: [user, group#member]
    define editor: [user with granted]
condition granted(on: bool) {
  on
}
`

const patience = { timeout: 20_000 }

const nested = Array.from(
  { length: 5 },
  (_, at) => [`group:${at}#member`, 'member', `group:${at + 1}`] as const,
)

test('every question is told, with what it took', async () => {
  const events: ZanzibarEvent[] = []
  await using zanzibar = await openZanzibar({
    model,
    closureIndex: true,
    onEvent: (event) => events.push(event),
  })
  const { storeId, modelId } = zanzibar
  await zanzibar.write({ add: [['user:anne', 'viewer', 'document:1'], ...nested] })
  await zanzibar.check('user:anne', 'viewer', 'document:1')
  zanzibar.checkSync('user:bob', 'viewer', 'document:1')
  await Array.fromAsync(zanzibar.listObjects('user:anne', 'viewer', 'document'))
  await zanzibar.listUsers('document:1', 'viewer', 'user')
  await zanzibar.expand('document:1', 'viewer')
  await zanzibar.explain('user:anne', 'viewer', 'document:1')
  await zanzibar.evaluate('user:anne', 'viewer', 'document:1')
  await zanzibar.checkMany([['user:anne', 'viewer', 'document:1']])
  const queries = events.filter((event) => event.type === 'query')
  const ops = ['check', 'check', 'listObjects', 'listUsers', 'expand', 'explain', 'evaluate', 'checkMany']
  expect(queries.map(({ op }) => op)).toEqual(ops)
  for (const query of queries) {
    expect(query).toMatchObject({ storeId, modelId, revision: 1, fetches: 0, error: undefined })
    expect(query.reads).toBeGreaterThan(0)
    expect(query.durationMs).toBeGreaterThanOrEqual(0)
  }
  // The write is followed behind the first question after it.
  expect(queries[0]?.index).toBe('behind')
  await vi.waitUntil(() => {
    zanzibar.checkSync('user:anne', 'viewer', 'document:1')
    const last = events.at(-1)
    return last?.type === 'query' && last.index === 'ready'
  }, patience)
})

test('a question without an answer is told with its error, by the API too', async () => {
  const events: ZanzibarEvent[] = []
  await using store = memoryStore()
  const zanzibar = await openZanzibar({ store, model, onEvent: (event) => events.push(event) })
  const editor = { object: 'document:1', relation: 'editor', user: 'user:anne' }
  await zanzibar.write({ add: [{ ...editor, condition: { name: 'granted' } }] })
  await expect(zanzibar.check('user:anne', 'editor', 'document:1')).rejects.toThrow('granted')
  await expect(zanzibar.check('user:anne', 'other', 'document:1')).rejects.toThrow('other')
  const api = openFgaApi({ store, onEvent: (event) => events.push(event) })
  const { storeId } = zanzibar
  const refused = { code: 'validation_error' }
  await expect(api.check(storeId, { tuple_key: editor })).rejects.toMatchObject(refused)
  const listed = { user: 'user:anne', relation: 'editor', type: 'document' }
  await expect(api.listObjects(storeId, listed)).rejects.toMatchObject(refused)
  expect(events).toHaveLength(4)
  for (const event of events) expect(event).toMatchObject({ index: 'none', error: refused })
  await api.listObjects(storeId, { ...listed, context: { on: true } })
  await api.batchCheck(storeId, { checks: [{ tuple_key: editor, correlation_id: 'one' }] })
  await api.expand(storeId, { tuple_key: { object: 'document:1', relation: 'viewer' } })
  const user = { object: { type: 'document', id: '1' }, relation: 'viewer', user_filters: [{ type: 'user' }] }
  await api.listUsers(storeId, user)
  const ops = events.slice(4).map((event) => event.type === 'query' && [event.op, event.error])
  expect(ops).toEqual(['listObjects', 'batchCheck', 'expand', 'listUsers'].map((op) => [op, undefined]))
})

test('the channel of questions tells the same, and nobody is asked to listen', async () => {
  const seen: QueryEvent[] = []
  const listener = (message: unknown): void => void seen.push(message as QueryEvent)
  await using zanzibar = await openZanzibar({ model })
  subscribe('loadbearing:zanzibar:query', listener)
  onTestFinished(() => void unsubscribe('loadbearing:zanzibar:query', listener))
  await zanzibar.check('user:anne', 'viewer', 'document:1')
  const own = seen.filter(({ storeId }) => storeId === zanzibar.storeId)
  expect(own).toMatchObject([{ type: 'query', op: 'check', index: 'none' }])
})

test('an index that grows too large says so, once, and checks go on without it', async () => {
  const events: ZanzibarEvent[] = []
  const onEvent = (event: ZanzibarEvent): void => void events.push(event)
  await using zanzibar = await openZanzibar({ model, closureIndex: { maxEntries: 8 }, onEvent })
  const { storeId } = zanzibar
  await zanzibar.write({ add: [['user:anne', 'member', 'group:0'], ...nested] })
  const asked = async (): Promise<boolean> => await zanzibar.check('user:anne', 'member', 'group:5')
  expect(await asked()).toBe(true)
  await vi.waitUntil(() => events.some(({ type }) => type === 'index-off'), patience)
  expect(await asked()).toBe(true)
  await zanzibar.write({ remove: [['user:anne', 'member', 'group:0']] })
  expect(await asked()).toBe(false)
  const off = events.filter(({ type }) => type === 'index-off')
  expect(off).toEqual([{ type: 'index-off', storeId, entries: expect.any(Number), maxEntries: 8 }])
  expect(events.at(-1)).toMatchObject({ op: 'check', index: 'off' })
})

test('of a store that was too large from the beginning it is told when it is opened, and by the API with the first questions', async () => {
  const events: ZanzibarEvent[] = []
  const given = {
    closureIndex: { maxEntries: 8 },
    onEvent: (event: ZanzibarEvent) => void events.push(event),
  }
  await using store = memoryStore()
  const plain = await openZanzibar({ store, model })
  await plain.write({ add: nested })
  await openZanzibar({ store, model, ...given })
  expect(events).toMatchObject([{ type: 'index-off', storeId: plain.storeId, maxEntries: 8 }])
  const api = openFgaApi({ store, ...given })
  const key = { user: 'user:anne', relation: 'member', object: 'group:5' }
  await api.check(plain.storeId, { tuple_key: key })
  await vi.waitUntil(() => events.filter(({ type }) => type === 'index-off').length === 2, patience)
})
