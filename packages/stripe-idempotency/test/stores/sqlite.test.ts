import { DatabaseSync } from 'node:sqlite'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
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
