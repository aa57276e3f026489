import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import type { Exchange } from '../http/exchange.ts'
import type { HeaderLines } from '../http/message.ts'
import { createIdempotency } from '../idempotency.ts'
import { memoryStore } from '../store/memory.ts'
import type { Mode } from './mode.ts'
import { adyen, checkoutCom, increase, mangopay, payPal, square, whop } from './presets.ts'

interface Asked {
  readonly key?: string
  readonly headers?: HeaderLines
  readonly path?: string
  readonly query?: string
  readonly body?: unknown
  /** What the handler answers, and meanwhile. */
  readonly status?: number
  readonly meanwhile?: () => Promise<unknown>
}

const key = '8e03978e-40d5-43e8-bc93'

/** A server of the mode, and how often its handler was run. */
function server(mode: Mode): {
  ask: (asked?: Asked) => Promise<[number, unknown, HeaderLines]>
  runs: () => number
} {
  const exchange: Exchange = createIdempotency({ store: memoryStore() }).http({ mode })
  let runs = 0
  return {
    runs: () => runs,
    async ask({
      key: own = key,
      headers = [],
      path = '/payments',
      query = '',
      body = {},
      status = 200,
      meanwhile,
    } = {}) {
      const lines: HeaderLines =
        mode.key.member === undefined ? [[mode.key.header.toLowerCase(), own], ...headers] : headers
      const content = mode.key.member === undefined ? body : Object.assign({ [mode.key.member]: own }, body)
      const request = {
        method: 'POST',
        path,
        query,
        headers: [['content-type', 'application/json'] as const, ...lines],
        body: Buffer.from(JSON.stringify(content)),
      }
      expect(exchange.concerns(request)).toBe(true)
      const { response } = await exchange.answer(request, 'acct_1', async () => {
        runs++
        await meanwhile?.()
        return { status, headers: [], body: Buffer.from(JSON.stringify({ run: runs })) }
      })
      if (!(response.body instanceof Uint8Array)) throw new TypeError('a body of known length was given')
      const answered: unknown = JSON.parse(Buffer.from(response.body).toString())
      return [response.status, answered, response.headers]
    },
  }
}

const all = { adyen, checkoutCom, payPal, square, increase, mangopay, whop }

describe('every preset', () => {
  test.each(Object.entries(all))('%s: one execution for a key, with its bounds, on POST', async (_, mode) => {
    const { ask, runs } = server(mode)
    const [, first] = await ask()
    const [, again] = await ask()
    expect(first).toEqual({ run: 1 })
    expect(runs()).toBe(1)
    if (mode.repeats !== 'refused') expect(again).toEqual(first)
    expect((await ask({ key: 'k'.repeat(mode.key.maxLength + 1) }))[0]).toBe(400)
    expect((await ask({ key: 'k'.repeat(mode.key.minLength - 1) }))[0]).toBe(400)
    expect((await ask({ key: 'k'.repeat(mode.key.maxLength) }))[0]).toBe(200)
    expect((await ask({ key: 'k'.repeat(mode.key.minLength) }))[0]).toBe(200)
    expect(runs()).toBe(3)
    expect([...mode.methods]).toEqual(['POST'])
  })

  const others: Record<keyof typeof all, [number, object]> = {
    adyen: [422, { title: 'Idempotency-Key is already used' }],
    checkoutCom: [422, { title: 'Idempotency-Key is already used' }],
    payPal: [422, { details: [{ issue: 'PAYPAL_REQUEST_ID_PREVIOUSLY_USED' }] }],
    square: [400, { errors: [{ category: 'INVALID_REQUEST_ERROR', code: 'IDEMPOTENCY_KEY_REUSED' }] }],
    increase: [409, { type: 'idempotency_key_already_used_error' }],
    mangopay: [409, { Type: 'idempotent_creation_conflict' }],
    whop: [400, { title: 'Idempotency-Key is already used' }],
  }
  test.each(Object.entries(all))('%s: what another request with the key is told', async (name, mode) => {
    const { ask } = server(mode)
    await ask()
    const [status, told] = Object.entries(others).find(([each]) => each === name)?.[1] ?? []
    for (const other of [{ body: { amount: 6 } }, { path: '/refunds' }]) {
      const [answered, body] = await ask(other)
      expect([answered, body]).toEqual([status, expect.objectContaining(told ?? {})])
      expect(body).toMatchObject({ status })
    }
  })
})

describe('what is special', () => {
  test('checkout.com keeps successes only, and tells a duplicate of one at work 429', async () => {
    const { ask } = server(checkoutCom)
    const during: unknown[] = []
    expect((await ask({ status: 422 }))[1]).toEqual({ run: 1 })
    const meanwhile = async (): Promise<unknown> => during.push((await ask())[0])
    expect((await ask({ meanwhile }))[1]).toEqual({ run: 2 })
    expect((await ask())[1]).toEqual({ run: 2 })
    expect(during).toEqual([429])
  })

  test('PayPal tries 5xx again, and 4xx not', async () => {
    const { ask } = server(payPal)
    expect((await ask({ status: 503 }))[1]).toEqual({ run: 1 })
    expect((await ask({ status: 404 }))[1]).toEqual({ run: 2 })
    expect((await ask())[1]).toEqual({ run: 2 })
  })

  test('Square has the key in the body, and refuses a body without one', async () => {
    const { ask, runs } = server(square)
    for (const none of [null, 5, {}]) {
      const [status, body] = await ask({ body: { idempotency_key: none } })
      expect([status, body]).toMatchObject([400, { errors: [{ code: 'MISSING_REQUIRED_PARAMETER' }] }])
    }
    expect((await ask({ key: 'a\nb' }))[0]).toBe(400)
    expect(runs()).toBe(0)
  })

  test('Mangopay blocks whatever comes again, after a failure as well, and takes letters, digits and dashes', async () => {
    const { ask, runs } = server(mangopay)
    expect((await ask({ status: 500 }))[0]).toBe(500)
    const [status, body] = await ask()
    expect([status, body]).toMatchObject([409, { Type: 'idempotent_creation_conflict' }])
    expect((await ask({ key: '8e03978e:40d5:43e8' }))[0]).toBe(400)
    expect(runs()).toBe(1)
  })

  test('whop takes another query and another version of its API for another request', async () => {
    const { ask } = server(whop)
    const version = (date: string): HeaderLines => [['api-version-date', date]]
    await ask({ query: 'a=1', headers: version('2026-01-01') })
    expect((await ask({ query: 'a=1', headers: version('2026-01-01') }))[1]).toEqual({ run: 1 })
    expect((await ask({ query: 'a=2', headers: version('2026-01-01') }))[0]).toBe(400)
    expect((await ask({ query: 'a=1', headers: version('2026-02-01') }))[0]).toBe(400)
    expect((await ask({ query: 'a=1' }))[0]).toBe(400)
  })
})
