import { createIdempotency, type HttpOptions, memoryStore } from '@loadbearing/stripe-idempotency'
import { describe, expect, test } from 'vitest'

describe('options over HTTP', () => {
  const none = new Uint8Array()

  test.each<[string, object]>([
    ['mode', { mode: 'stripe' }],
    ['wait', { wait: -1 }],
    ['rerun', { rerun: 'always' }],
    ['maxBodyBytes', { maxBodyBytes: -1 }],
    ['maxResponseBytes', { maxResponseBytes: 0.5 }],
    ['ignore', { ignore: ['metadata'] }],
    ['failOpen', { failOpen: () => true, transaction: true }],
    ['transactions', { transaction: true }],
    ...['Set-Cookie', 'connection', 'Date', 'Content-Length', 'Request-Id', 'WWW-Authenticate', 'traceparent']
      .concat('X-RateLimit-Remaining', 'two words', '')
      .map((name): [string, object] => ['keepHeaders', { keepHeaders: ['x-fine', name] }]),
  ])('%s is refused: %j', (name, options) => {
    const given: HttpOptions = { mode: 'stripe-v1', ...options }
    const idempotency = createIdempotency({ store: memoryStore() })
    expect(() => idempotency.http(given)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(name) }),
    )
  })

  test('a header that is to be kept is replayed, and no other', async () => {
    const idempotency = createIdempotency({ store: memoryStore() })
    const http = idempotency.http({ mode: 'stripe-v1', keepHeaders: ['X-Kept'] })
    const request = {
      method: 'POST',
      path: '/',
      query: '',
      headers: [['idempotency-key', 'k']],
      body: none,
    } as const
    const headers = [
      ['x-kept', '1'],
      ['x-other', '2'],
      ['set-cookie', 'session=1'],
    ] as const
    for (const expected of [['1', '2', 'session=1'], ['1']]) {
      const { response } = await http.answer(request, 'acct_1', async () => ({
        status: 200,
        headers,
        body: none,
      }))
      const told = response.headers.filter(([name]) => headers.some(([given]) => given === name))
      expect(told.map(([, value]) => value)).toEqual(expected)
    }
  })
})
