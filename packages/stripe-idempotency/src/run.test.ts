import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { sqliteStore } from './adapters/sqlite.ts'
import { createIdempotency } from './idempotency.ts'
import { realRandom } from './ports.ts'
import { sealerOf } from './seal.ts'
import { memoryStore } from './store/memory.ts'

describe('names that UTF-8 cannot tell apart', () => {
  const [one, other] = ['\u{d800}', '\u{dfff}']

  test('would be one key in a store', () => {
    const { keyOf } = sealerOf([], realRandom)
    expect(keyOf(one, 'k')).toBe(keyOf(other, 'k'))
    expect(keyOf('a', one)).toBe(keyOf('a', other))
  })

  test('are refused, as a scope and as a key', async () => {
    const idempotency = createIdempotency({ store: memoryStore() })
    const input = null
    for (const request of [
      { scope: one, key: 'k', input },
      { scope: 'acct_1', key: `k${other}`, input },
    ]) {
      await expect(idempotency.run(request, async () => 1)).rejects.toMatchObject({ code: 'invalid_option' })
    }
    expect(await idempotency.run({ scope: 'é💰', key: '\0', input }, async () => 1)).toMatchObject({
      value: 1,
    })
    const request = {
      method: 'POST',
      path: '/',
      query: '',
      headers: [['idempotency-key', 'k']] as const,
      body: new Uint8Array(),
    }
    const answer = idempotency
      .http({ mode: 'stripe-v1' })
      .answer(request, one, () => Promise.reject(new Error('run')))
    await expect(answer).rejects.toMatchObject({ code: 'scope_missing' })
  })
})

describe('what JSON cannot keep', () => {
  const idempotency = createIdempotency({ store: memoryStore() })
  const cyclic: { self?: unknown } = {}
  cyclic.self = cyclic

  test.each([
    ['a Map', new Map([[1, 2]])],
    ['a Set in an array', [new Set([1])]],
    ['form data as a member', { form: new URLSearchParams('a=1') }],
    ['a regular expression', /a/],
    ['a bigint', 1n],
    ['a cycle', cyclic],
  ])('is no input, so that no two of them are one: %s', async (name, input) => {
    await expect(idempotency.run({ scope: 'acct_1', key: name, input }, async () => 1)).rejects.toMatchObject(
      {
        code: 'input_invalid',
      },
    )
  })

  test.each([
    ['empty', {}, {}],
    ['of no prototype', Object.create(null), {}],
    ['of no bytes', new Uint8Array(), {}],
    ['of a date', new Date(0), new Date(0)],
  ])('is no object %s', async (name, input, same) => {
    const request = { scope: 'acct_1', key: name }
    await idempotency.run({ ...request, input }, async () => 1)
    expect(await idempotency.run({ ...request, input: same }, async () => 2)).toMatchObject({ value: 1 })
  })

  test('is no value: the error says so, and the work, which was done, is not done again', async () => {
    const request = { scope: 'acct_1', key: 'cyclic', input: null }
    await expect(idempotency.run(request, async () => cyclic)).rejects.toMatchObject({
      code: 'value_invalid',
      message: expect.stringContaining('circular'),
    })
    await expect(idempotency.run(request, async () => 1)).rejects.toMatchObject({ code: 'uncertain' })
  })
})

test('a store that is none is refused when it is given', () => {
  for (const store of [undefined, null, {}, 'redis://…']) {
    expect(() => createIdempotency(Object({ store }))).toThrow(
      expect.objectContaining({ code: 'invalid_option' }),
    )
  }
})

test('who collided with a rival that was done meanwhile has its answer, not the collision', async () => {
  using database = new DatabaseSync(':memory:')
  const collision = new Error('collided')
  const store = sqliteStore({ database })
  const request = { scope: 'acct_1', key: 'k', input: null }
  const rival = createIdempotency({ store: sqliteStore({ database }) })
  store.isTransient = (error) => error === collision
  let tries = 0
  const { transaction } = store
  store.transaction = async (work) => {
    if (++tries === 2) await rival.transaction(request, async () => 'of the rival')
    return transaction.call(store, work) as ReturnType<typeof work>
  }
  const run = createIdempotency({ store }).transaction(request, () => Promise.reject(collision))
  expect(await run).toMatchObject({ value: 'of the rival', replayed: true })
})
