import { Buffer } from 'node:buffer'
import {
  createIdempotency,
  type Exchange,
  type ExchangeOutcome,
  type IdempotencyStore,
  memoryStore,
} from '@loadbearing/stripe-idempotency'
import { expect, test } from 'vitest'

const day = 86_400_000

interface World {
  readonly store: IdempotencyStore
  /** Milliseconds to go on. */
  readonly pass: (ms: number) => void
  readonly ask: (status: number, key?: string) => Promise<readonly [ExchangeOutcome, number]>
}

function world(capacity: number): World {
  let now = 1
  const clock = { now: () => now, monotonic: () => now, setTimeout: () => 0, clearTimeout: () => {} }
  const store = memoryStore({ clock, capacity })
  const exchange: Exchange = createIdempotency({ store, clock }).http({ mode: 'stripe-v2' })
  return {
    store,
    pass: (ms) => {
      now += ms
    },
    async ask(status, key) {
      const { outcome, response } = await exchange.answer(
        {
          method: 'POST',
          path: '/v2/core/events',
          query: '',
          headers: key === undefined ? [] : [['idempotency-key', key]],
          body: Buffer.from('{}'),
        },
        'acct_1',
        async () => ({ status, headers: [], body: Buffer.from('{}') }),
      )
      return [outcome, response.status]
    },
  }
}

test('requests of v2 without a key leave no record where they fail, and one where they do not', async () => {
  const { store, ask } = world(3)
  for (let n = 0; n < 5; n++) expect(await ask(422)).toEqual(['executed', 422])
  expect(await store.list({ limit: 10 })).toEqual([])
  expect(await ask(200)).toEqual(['executed', 200])
  expect(await store.list({ limit: 10 })).toMatchObject([{ state: 'completed' }])
})

test('what a key of v2 failed with goes with its retention, however often it failed', async () => {
  const { store, pass, ask } = world(3)
  for (const key of ['a', 'b', 'c', 'a', 'a', 'a']) expect(await ask(422, key)).toEqual(['executed', 422])
  expect(await ask(200, 'd')).toEqual(['store-unavailable', 503])
  pass(29 * day)
  expect(await store.reap(10)).toBe(0)
  expect(await ask(422, 'b')).toEqual(['executed', 422])
  pass(day + 1000)
  expect(await store.list({ limit: 10 })).toEqual([])
  expect(await store.reap(10)).toBe(3)
  for (const key of ['d', 'e', 'f']) expect(await ask(200, key)).toEqual(['executed', 200])
  expect(await ask(422, 'a')).toEqual(['store-unavailable', 503])
})
