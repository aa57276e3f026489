import { DatabaseSync } from 'node:sqlite'
import { type ClaimAnswer, createIdempotency, type Holder } from '@loadbearing/stripe-idempotency'
import { sqliteOutbox, sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { describe, expect, test } from 'vitest'
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

const minutes = 60_000

/** A store whose clock is set, and the claims of one key in it. */
function claims() {
  let now = 100 * minutes
  const database = new DatabaseSync(':memory:')
  const clock = { now: () => now, monotonic: () => now, setTimeout: () => 0, clearTimeout: () => {} }
  const store = sqliteStore({ database, clock })
  const claim = (owner: string): Promise<ClaimAnswer> =>
    store.claim({
      scope: 'acct_1',
      key: 'k',
      endpoint: 'charge',
      fingerprint: new Uint8Array(32),
      id: 'id',
      owner,
      lease: minutes,
      ttl: 60 * minutes,
      onAbandoned: 'resume',
      operation: null,
    })
  return {
    store,
    claim,
    pass: (ms: number) => {
      now += ms
    },
    [Symbol.dispose]: () => database.close(),
  }
}

describe('once the clock was set back, a dead holder has its record for one lease at most', () => {
  type Claims = ReturnType<typeof claims>
  const ways: readonly (readonly [string, (claims: Claims) => Promise<Holder>])[] = [
    [
      'that claimed a new key',
      async ({ claim, pass }) => {
        const { record } = await claim('dead')
        pass(-5 * minutes)
        return record
      },
    ],
    [
      'that renewed its lease',
      async ({ claim, pass, store }) => {
        const { record } = await claim('dead')
        pass(5 * minutes)
        expect(await store.renew(record, minutes)).toBe(true)
        pass(-5 * minutes)
        return record
      },
    ],
    [
      'that took the key of another',
      async ({ claim, pass }) => {
        await claim('first')
        pass(5 * minutes)
        const { record } = await claim('dead')
        pass(-5 * minutes)
        return record
      },
    ],
    [
      'that left a phase afterwards',
      async ({ claim, pass, store }) => {
        const { record } = await claim('dead')
        pass(-5 * minutes)
        expect(await store.advance(record, { name: 'debited', output: new Uint8Array() })).toBe(true)
        return record
      },
    ],
    [
      'whose scope was erased afterwards',
      async ({ claim, pass, store }) => {
        const { record } = await claim('dead')
        pass(-5 * minutes)
        expect(await store.erase({ scope: 'acct_1' })).toBe(1)
        return record
      },
    ],
  ]

  test.each(ways)('%s', async (_, die) => {
    using each = claims()
    const { store, claim, pass } = each
    const dead = await die(each)
    expect(await claim('next')).toMatchObject({ claimed: false })
    pass(minutes - 1)
    expect(await claim('next')).toMatchObject({ claimed: false })
    pass(1)
    expect(await store.list({ limit: 1, abandonedFor: 0 })).toHaveLength(1)
    expect(await claim('next')).toMatchObject({
      claimed: true,
      record: { id: dead.id, fence: dead.fence + 1 },
    })
    expect(await store.renew(dead, minutes)).toBe(false)
  })

  test('and who asks for what is abandoned is told of it', async () => {
    using each = claims()
    const { store, claim, pass } = each
    await claim('first')
    pass(5 * minutes)
    await claim('dead')
    expect(await store.list({ limit: 1, abandonedFor: 0 })).toEqual([])
    pass(-5 * minutes)
    expect(await store.list({ limit: 1, abandonedFor: 0 })).toHaveLength(1)
  })

  test('and one that lives keeps it', async () => {
    using each = claims()
    const { store, claim, pass } = each
    const { record } = await claim('alive')
    for (const step of [-5 * minutes, minutes / 3, -1, minutes / 3, minutes / 3, minutes / 3]) {
      pass(step)
      expect(await claim('next')).toMatchObject({ claimed: false })
      expect(await store.renew(record, minutes)).toBe(true)
    }
  })
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
