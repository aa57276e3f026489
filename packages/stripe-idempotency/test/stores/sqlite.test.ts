import { DatabaseSync } from 'node:sqlite'
import { createIdempotency } from '@loadbearing/stripe-idempotency'
import { sqliteOutbox, sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { expect, test } from 'vitest'
import { failOnce } from './failed-request.ts'
import { storeSuite } from './store-suite.ts'

storeSuite(
  'a store in SQLite',
  async () => {
    let now = 0
    const database = new DatabaseSync(':memory:')
    const clock = { now: () => now, monotonic: () => now, setTimeout: () => 0, clearTimeout: () => {} }
    return {
      store: sqliteStore({ database, clock }),
      pass: (ms) => {
        now += ms
      },
      [Symbol.asyncDispose]: async () => database.close(),
    }
  },
  300,
)

test('a dead holder has its record for one lease at most once the clock was set back', async () => {
  const minutes = 60_000
  let now = 100 * minutes
  using database = new DatabaseSync(':memory:')
  const clock = { now: () => now, monotonic: () => now, setTimeout: () => 0, clearTimeout: () => {} }
  const store = sqliteStore({ database, clock })
  const request = {
    scope: 'acct_1',
    key: 'k',
    endpoint: 'charge',
    fingerprint: new Uint8Array(32),
    id: 'id',
    lease: minutes,
    ttl: 60 * minutes,
    onAbandoned: 'resume',
    operation: null,
  } as const
  const { record: dead } = await store.claim({ ...request, owner: 'dead' })
  now -= 5 * minutes
  expect(await store.list({ limit: 1, abandonedFor: minutes })).toHaveLength(1)
  expect(await store.claim({ ...request, owner: 'next' })).toMatchObject({ claimed: false })
  now += minutes - 1
  expect(await store.claim({ ...request, owner: 'next' })).toMatchObject({ claimed: false })
  now += 1
  expect(await store.claim({ ...request, owner: 'next' })).toMatchObject({
    claimed: true,
    record: { id: dead.id, fence: dead.fence + 1 },
  })
  expect(await store.renew(dead, minutes)).toBe(false)
})

test('the doctor counts requests that failed and expired, as it counts answers', async () => {
  using database = new DatabaseSync(':memory:')
  let now = 0
  const clock = { now: () => now, monotonic: () => now, setTimeout: () => 0, clearTimeout: () => {} }
  const store = sqliteStore({ database, clock })
  await failOnce(store)
  const subjects = async (): Promise<string[]> => (await store.doctor()).map(({ subject }) => subject)
  const day = 86_400_000
  now = 30 * day
  expect(await subjects()).not.toContain('retention')
  now = 31 * day
  expect(await subjects()).toContain('retention')
  await store.reap(1)
  expect(await subjects()).not.toContain('retention')
})

test('work in a transaction that asks the same database by another way is told so, and does not wait for itself', async () => {
  using database = new DatabaseSync(':memory:')
  using other = new DatabaseSync(':memory:')
  const store = sqliteStore({ database })
  const idempotency = createIdempotency({ store })
  const elsewhere = createIdempotency({ store: sqliteStore({ database: other }) })
  const outbox = sqliteOutbox({ database })
  const asked = (key: string) => ({ scope: 'acct_1', key, input: {} })
  const ways: readonly (() => Promise<unknown>)[] = [
    () => store.find('acct_1', 'k'),
    () => store.transaction(async () => 0),
    () => idempotency.run(asked('another'), async () => 0),
    () => idempotency.transaction(asked('another'), async () => 0),
    () => elsewhere.transaction(asked('k'), () => store.find('acct_1', 'k')),
    () => outbox.drain(1, async () => {}),
  ]
  const told: unknown[] = []
  let later: Promise<unknown> | undefined
  const { value } = await idempotency.transaction(asked('k'), async (tx) => {
    for (const way of ways) told.push(await way().catch((error: unknown) => error))
    await idempotency.within(tx).run(asked('within'), async () => 0)
    await elsewhere.transaction(asked('elsewhere'), async () => 0)
    const { promise, resolve } = Promise.withResolvers<void>()
    later = promise.then(() => store.find('acct_1', 'k'))
    setImmediate(() => setImmediate(resolve))
    return 'done'
  })
  expect(told).toEqual(
    ways.map(() =>
      expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining('within') }),
    ),
  )
  // What goes on when it is over asks as anybody does.
  expect([value, await later]).toEqual(['done', undefined])
  expect((await store.list({ limit: 10 })).map(({ endpoint }) => endpoint)).toHaveLength(2)
})
