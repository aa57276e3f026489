import { createIdempotency, memoryStore } from '@loadbearing/stripe-idempotency'
import { describe, expect, test } from 'vitest'
import { counted, outcome, request, world } from './world.ts'

describe('bad input', () => {
  test.each([
    ['lease', { lease: 0 }],
    ['ttl', { ttl: '-1s' }],
    ['storeTimeout', { storeTimeout: Number.NaN }],
    ['value of secret number 1', { secrets: [{ id: '2026', value: 'short' }] }],
    ['id of secret number 1', { secrets: [{ id: '', value: 'a secret of 32 bytes, or so, yes' }] }],
    // It would seal nothing, and nobody would see it.
    ['secrets must be', { secrets: [] }],
    ['clock must be', { clock: { now: Date.now } }],
    ['random must be', { random: Math.random }],
    ['outbox must be', { outbox: {} }],
    ['store must be', { store: { claim: () => {} } }],
  ])('%s', (name, options) => {
    const given = { store: memoryStore(), ...options }
    expect(() => Reflect.apply(createIdempotency, undefined, [given])).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(name) }),
    )
  })

  test.each([
    ['scope', ''],
    // Longer than an index of PostgreSQL takes.
    ['scope', 's'.repeat(501)],
    ['key', ''],
    ['operation', 5],
    // In UTF-8 it would be any other lone surrogate.
    ['operation', 'pay \ud800'],
    ['rerun', 'always'],
    ['wait', 'soon'],
  ])('%s: %s', async (name, value) => {
    const { idempotency } = world()
    const { work, count } = counted()
    await expect(idempotency.run({ ...request, [name]: value }, work)).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringContaining(name),
    })
    expect(count()).toBe(0)
  })

  test('the longest scope, of the longest characters, is taken', async () => {
    const { idempotency } = world()
    expect(await outcome(idempotency.run({ ...request, scope: 'ﷺ'.repeat(500) }, async () => 0))).toBe(
      'executed 0',
    )
  })
})
