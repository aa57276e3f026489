import { createIdempotency, memoryStore } from '@loadbearing/stripe-idempotency'
import { describe, expect, test } from 'vitest'
import { request, world } from './world.ts'

describe('bad input', () => {
  test.each([
    ['lease', { lease: 0 }],
    ['ttl', { ttl: '-1s' }],
    ['storeTimeout', { storeTimeout: Number.NaN }],
    ['value of secret number 1', { secrets: [{ id: '2026', value: 'short' }] }],
    ['id of secret number 1', { secrets: [{ id: '', value: 'a secret of 32 bytes, or so, yes' }] }],
    // It would seal nothing, and nobody would see it.
    ['secrets must be', { secrets: [] }],
  ])('%s', (name, options) => {
    expect(() => createIdempotency({ store: memoryStore(), ...options })).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(name) }),
    )
  })
  test.each(['scope', 'key'])('%s', async (name) => {
    const { idempotency } = world()
    await expect(idempotency.run({ ...request, [name]: '' }, async () => 0)).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringContaining(name),
    })
  })
})
