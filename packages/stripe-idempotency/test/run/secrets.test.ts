import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import {
  type ClaimRequest,
  createIdempotency,
  type IdempotencyStore,
  memoryStore,
} from '@loadbearing/stripe-idempotency'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { describe, expect, test } from 'vitest'
import { counted, minute, outcome, request, sleep, world } from './world.ts'

describe('secrets', () => {
  const secret = { id: '2026', value: 'a secret of 32 bytes, or so, yes' }

  test.each([
    ['longer than an id', 'sk_live_this_is_the_value_itself_0123456789'],
    ['as long as an id', 'the-real-value-0123456789'],
  ])('are in no error where id and value were confused: %s', (_, value) => {
    const good = { id: '2025', value: 'another one of many bytes' }
    const made = (): unknown =>
      createIdempotency({ store: memoryStore(), secrets: [good, { id: value, value: 'v1' }] })
    expect(made).toThrow(/secret number 2 must/)
    expect(made).not.toThrow(value)
  })

  test('a store sees neither keys nor contents', async () => {
    const { idempotency, store } = world({ secrets: [secret] })
    await idempotency.run({ ...request, key: 'the-key' }, async () => 'the-answer')
    const [record] = await store.list({ limit: 1 })
    const seen = JSON.stringify(record, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    )
    expect(seen).not.toMatch(/the-key|the-answer/)
    expect(await outcome(idempotency.run({ ...request, key: 'the-key' }, async () => 0))).toBe(
      'replayed "the-answer"',
    )
  })

  test('a new one in front seals, and what the old one sealed is read', async () => {
    const { idempotency, store, clock } = world({ secrets: [secret] })
    await idempotency.run(request, async () => 'old')
    const next = { id: '2027', value: 'another secret of 32 bytes or so' }
    const rotated = createIdempotency({ store, clock, secrets: [next, secret] })
    expect(await outcome(rotated.run(request, async () => 0))).toBe('replayed "old"')
    const other = { ...request, input: { amount: 6 } }
    expect(await outcome(rotated.run(other, async () => 0))).toBe('mismatch')
    await rotated.run({ ...request, key: 'l' }, async () => 'new')
    expect(await outcome(idempotency.run({ ...request, key: 'l' }, async () => 0))).toBe('record_corrupt')
  })

  test('what was asked for cannot be guessed by the store, not even when it was erased', async () => {
    const { idempotency, store } = world({ secrets: [secret] })
    await idempotency.run({ ...request, input: { pin: '4711' } }, async () => 'done')
    await idempotency.run({ ...request, key: 'l', input: { pin: '4711' } }, async () => 'done')
    const clear = memoryStore()
    await createIdempotency({ store: clear }).run({ ...request, input: { pin: '4711' } }, async () => 'done')
    const stored = async (each: IdempotencyStore): Promise<string[]> =>
      (await each.list({ limit: 2 })).map(({ fingerprint }) => Buffer.from(fingerprint).toString('hex'))
    const guess = hash('sha256', JSON.stringify({ pin: '4711' }))
    expect(await stored(clear)).toEqual([guess])
    const marks = await stored(store)
    expect(marks).not.toContain(guess)
    // Nor whether two keys are of the same request.
    expect(new Set(marks).size).toBe(2)
    await store.erase({ scope: 'acct_1' })
    expect(await stored(store)).toEqual(marks)
    const guessed = { ...request, input: { pin: '4712' } }
    expect(await outcome(idempotency.run(guessed, async () => 0))).toBe('mismatch')
  })

  test('records of before fingerprints had marks are found, compared and gone on with', async () => {
    const { clock, store, idempotency } = world({ secrets: [secret] })
    const unmarked = new Proxy(store, {
      get: (_, name) => {
        const method: unknown = Reflect.get(store, name)
        if (name !== 'claim') return typeof method === 'function' ? method.bind(store) : method
        const fingerprint = hash('sha256', '{"amount":5}', 'buffer')
        return (claim: ClaimRequest) => store.claim({ ...claim, fingerprint })
      },
    })
    // One whose timers have died with it.
    const dead = { now: () => clock.now(), monotonic: () => clock.monotonic() }
    const before = createIdempotency({
      store: unmarked,
      clock: { ...dead, setTimeout: () => 0, clearTimeout: () => {} },
      secrets: [secret],
    })
    await before.run(request, async () => 'done')
    expect(await outcome(idempotency.run(request, async () => 0))).toBe('replayed "done"')
    const other = { ...request, input: { amount: 6 } }
    expect(await outcome(idempotency.run(other, async () => 0))).toBe('mismatch')
    for (const key of ['l', 'm']) void before.run({ ...request, key }, () => new Promise(() => {}))
    expect(await outcome(idempotency.run({ ...request, key: 'l' }, async () => 0))).toBe('in_use')
    let passed = false
    void sleep(clock, 2 * minute).then(() => (passed = true))
    await clock.run(() => passed)
    const again = { ...request, key: 'l', rerun: 'safe' } as const
    expect(await outcome(idempotency.run(again, async () => 'again'))).toBe('executed "again"')
    expect(await outcome(idempotency.run({ ...request, key: 'm' }, async () => 0))).toBe('uncertain')
  })

  test('a byte that is flipped is an error, never another answer', async () => {
    const { idempotency, store, clock } = world({ secrets: [secret] })
    await idempotency.run(request, async () => 'done')
    let flipped: number | undefined
    let length = 0
    const tampered: IdempotencyStore = Object.assign(Object.create(store), {
      async claim(claim: ClaimRequest) {
        const answer = await store.claim(claim)
        const response = Buffer.from(answer.record.response ?? [])
        length = response.length
        if (flipped !== undefined) response[flipped] = (response[flipped] ?? 0) ^ 1
        return { ...answer, record: { ...answer.record, response } }
      },
    })
    const retry = createIdempotency({ store: tampered, clock, secrets: [secret] })
    expect(await outcome(retry.run(request, async () => 0))).toBe('replayed "done"')
    expect(length).toBeGreaterThan(40)
    // The first byte says that it is sealed: without it this is some other content.
    for (flipped = 1; flipped < length; flipped++) {
      expect(await outcome(retry.run(request, async () => 0))).toBe('record_corrupt')
    }
  })

  test('the answer of a record that had the key before is not an answer of this one', async () => {
    const { idempotency, store, clock } = world({ secrets: [secret], ttl: '1m' })
    const stored = async (): Promise<Uint8Array | null | undefined> =>
      (await store.list({ limit: 1 })).map(({ response }) => response)[0]
    await idempotency.run(request, async () => 'first')
    const first = await stored()
    let passed = false
    void sleep(clock, 2 * minute).then(() => (passed = true))
    await clock.run(() => passed)
    expect(await outcome(idempotency.run(request, async () => 'second'))).toBe('executed "second"')
    const tampered: IdempotencyStore = Object.assign(Object.create(store), {
      async claim(claim: ClaimRequest) {
        const answer = await store.claim(claim)
        return { ...answer, record: { ...answer.record, response: first } }
      },
    })
    const retry = createIdempotency({ store: tampered, clock, secrets: [secret] })
    expect(await outcome(retry.run(request, async () => 0))).toBe('record_corrupt')
    expect(await outcome(idempotency.run(request, async () => 0))).toBe('replayed "second"')
  })

  test.each([
    ['an answer is what was asked for', 'record_corrupt', 'response = input'],
    [
      'what was asked for is an answer',
      // The completer has seen it.
      'uncertain',
      `input = response, state = 'claimed', lease_ends = 0, response = NULL`,
    ],
    [
      'an answer is what a phase left',
      'record_corrupt',
      `response = (SELECT output FROM idempotency_record_journal WHERE name = 'one')`,
    ],
    [
      'what a phase left is what another one left',
      'record_corrupt',
      `state = 'claimed', lease_ends = 0, response = NULL;
        UPDATE idempotency_record_journal
        SET output = (SELECT output FROM idempotency_record_journal WHERE name = 'one')`,
    ],
  ])('no part of a record opens in the place of another one: %s', async (_, expected, tampering) => {
    using database = new DatabaseSync(':memory:')
    const idempotency = createIdempotency({ store: sqliteStore({ database }), secrets: [secret] })
    let last = 0
    const operation = idempotency
      .operation<unknown>('three')
      .tx('one', async () => 'one')
      .tx('two', async () => 'two')
      .tx('three', async () => ++last)
    expect(await outcome(operation.execute(request))).toBe('executed 1')
    expect(await outcome(operation.execute(request))).toBe('replayed 1')
    database.exec(`UPDATE idempotency_record SET ${tampering}`)
    await idempotency.complete({ pickUpAfter: 1 })
    expect(await outcome(operation.execute(request))).toBe(expected)
    expect(last).toBe(1)
  })

  test('what was erased is gone, and is not executed again', async () => {
    const { idempotency, store } = world()
    await idempotency.run(request, async () => 'done')
    expect(await store.erase({ scope: 'acct_1' })).toBe(1)
    const { work, count } = counted()
    expect(await outcome(idempotency.run(request, work))).toBe('response_unavailable')
    expect(count()).toBe(0)
  })
})
