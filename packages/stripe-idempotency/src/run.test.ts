import { describe, expect, test } from 'vitest'
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
