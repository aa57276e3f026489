import { getRequestListener } from '@hono/node-server'
import { executionOf, memoryStore } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/hono'
import { Hono } from 'hono'
import { Stripe } from 'stripe'
import { afterEach, describe, expect, test } from 'vitest'
import { servedBy } from '../http/serving.ts'

/** An API as Stripe's, and its official client, as it comes from npm. */
interface World {
  readonly stripe: Stripe
  /** Amounts that were charged, by account. */
  readonly charges: { readonly account: string; readonly amount: string }[]
  /** Status and key of each attempt, as the server saw it. */
  readonly attempts: { readonly status: number; readonly key: string | undefined }[]
  readonly gate: PromiseWithResolvers<void>
  /** Resolves when so many attempts were answered. */
  answered(count: number): Promise<void>
  client(account: string, retries?: number): Stripe
}

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]()
})

async function world(): Promise<World> {
  const charges: World['charges'] = []
  const attempts: World['attempts'] = []
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  const gate = Promise.withResolvers<void>()
  const store = memoryStore()
  let failures = 0
  const account = (authorization: string | undefined): string =>
    authorization?.replace(/^Bearer sk_test_/, '') ?? ''

  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    attempts.push({ status: c.res.status, key: c.req.header('idempotency-key') })
    for (const { count, resolve } of waiting) if (attempts.length >= count) resolve()
  })
  app.use(async (c, next) => {
    const who = account(c.req.header('authorization'))
    if (who === 'revoked')
      return c.json({ error: { type: 'invalid_request_error', message: 'revoked' } }, 401)
    return who === 'limited'
      ? c.json({ error: { type: 'invalid_request_error', code: 'rate_limit', message: 'slow down' } }, 429)
      : next()
  })
  for (const [path, mode] of [
    ['/v1/*', 'stripe-v1'],
    ['/v2/*', 'stripe-v2'],
  ] as const) {
    app.use(path, idempotency({ store, mode, scope: (c) => account(c.req.header('authorization')) }))
  }
  app.post('/v1/charges', async (c) => {
    const form = new URLSearchParams(await c.req.text())
    const amount = form.get('amount') ?? ''
    if (!/^\d+$/.test(amount)) {
      executionOf(c)?.notExecuted()
      return c.json(
        { error: { type: 'invalid_request_error', param: 'amount', message: 'Invalid integer' } },
        400,
      )
    }
    charges.push({ account: account(c.req.header('authorization')), amount })
    if (form.get('description') === 'slow') await gate.promise
    if (form.get('description') === 'fails') throw new Error('out of order')
    return c.json({ id: `ch_${charges.length}`, object: 'charge', amount: Number(amount) })
  })
  app.post('/v1/refunds', (c) => c.json({ id: 're_1', object: 'refund' }))
  app.post('/v2/core/event_destinations', (c) => {
    failures++
    return failures === 1
      ? c.json({ error: { type: 'api_error', code: 'unavailable', message: 'half of it was done' } }, 500)
      : c.json({ id: 'ed_1', object: 'v2.core.event_destination' })
  })
  app.delete('/v2/core/event_destinations/:id', (c) => {
    charges.push({ account: 'deleted', amount: c.req.param('id') })
    return c.json({ id: c.req.param('id'), object: 'v2.core.event_destination' })
  })
  app.onError((error, c) => c.json({ error: { type: 'api_error', message: error.message } }, 500))

  const served = await servedBy(getRequestListener(app.fetch))
  open.push(served, store)
  const client = (name: string, retries = 0): Stripe =>
    new Stripe(`sk_test_${name}`, {
      host: '127.0.0.1',
      port: new URL(served.url).port,
      protocol: 'http',
      maxNetworkRetries: retries,
      telemetry: false,
    })
  return {
    stripe: client('1'),
    charges,
    attempts,
    gate,
    client,
    answered(count) {
      const { promise, resolve } = Promise.withResolvers<void>()
      if (attempts.length >= count) resolve()
      waiting.push({ count, resolve })
      return promise
    },
  }
}

const charge = { amount: 2000, currency: 'usd', source: 'tok_visa' }
const withKey = { idempotencyKey: 'KG5LxwFBepaKHyUD' }

async function failure(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof Stripe.errors.StripeError) return error
  throw new Error('it did not fail as a call of Stripe does', { cause: error })
}

describe('the client of Stripe for Node, v1', () => {
  test('two charges with one key are one, and the second says so', async () => {
    const { stripe, charges } = await world()
    const first = await stripe.charges.create(charge, withKey)
    const second = await stripe.charges.create(charge, withKey)
    expect(charges).toEqual([{ account: '1', amount: '2000' }])
    expect(second.id).toBe(first.id)
    expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined()
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true')
    expect(second.lastResponse.idempotencyKey).toBe(withKey.idempotencyKey)
    expect(first.lastResponse.headers['original-request']).toBe(first.lastResponse.requestId)
    expect(second.lastResponse.headers['original-request']).toBe(first.lastResponse.requestId)
    expect(second.lastResponse.requestId).not.toBe(first.lastResponse.requestId)
  })

  test('another amount and another endpoint are mismatches, in the words of Stripe', async () => {
    const { stripe, charges } = await world()
    await stripe.charges.create(charge, withKey)
    const amount = await failure(stripe.charges.create({ ...charge, amount: 3000 }, withKey))
    expect(amount).toBeInstanceOf(Stripe.errors.StripeIdempotencyError)
    expect([amount.statusCode, amount.message]).toEqual([
      400,
      "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than 'KG5LxwFBepaKHyUD' if you meant to execute a different request.",
    ])
    const endpoint = await failure(stripe.refunds.create({ charge: 'ch_1' }, withKey))
    expect(endpoint).toBeInstanceOf(Stripe.errors.StripeIdempotencyError)
    expect([endpoint.statusCode, endpoint.message]).toEqual([
      400,
      "Keys for idempotent requests can only be used for the same endpoint they were first used for ('/v1/refunds' vs '/v1/charges'). Try using a key other than 'KG5LxwFBepaKHyUD' if you meant to execute a different request.",
    ])
    expect(charges).toHaveLength(1)
    const again = await stripe.charges.create(charge, withKey)
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true')
  })

  test('a duplicate while the first is at work is told so, and a client that retries gets its answer', async () => {
    const { stripe, client, charges, attempts, gate, answered } = await world()
    const slow = { ...charge, description: 'slow' }
    const first = stripe.charges.create(slow, withKey)
    const conflict = await failure(
      until(() => charges.length === 1).then(() => stripe.charges.create(slow, withKey)),
    )
    expect(conflict.statusCode).toBe(409)
    expect(conflict.raw).toMatchObject({
      type: 'invalid_request_error',
      code: 'idempotency_key_in_use',
      doc_url: 'https://stripe.com/docs/error-codes/idempotency-key-in-use',
      message:
        'There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): KG5LxwFBepaKHyUD. Please try again later.',
    })
    expect(conflict.headers).toMatchObject({ 'stripe-should-retry': 'true', 'retry-after': '1' })
    const retrying = client('1', 2).charges.create(slow, withKey)
    await answered(2)
    gate.resolve()
    const answers = await Promise.all([first, retrying])
    expect(answers.map(({ id }) => id)).toEqual(['ch_1', 'ch_1'])
    expect(answers[1].lastResponse.headers['idempotent-replayed']).toBe('true')
    expect(charges).toHaveLength(1)
    expect(attempts.map(({ status }) => status)).toEqual([409, 409, 200, 200])
  })

  test('a 500 is kept with its bytes, and the client makes one attempt for each call', async () => {
    const { client, attempts, charges } = await world()
    const stripe = client('1', 2)
    const failing = { ...charge, description: 'fails' }
    const errors = [
      await failure(stripe.charges.create(failing, withKey)),
      await failure(stripe.charges.create(failing, withKey)),
    ]
    expect(errors.map(({ statusCode, message }) => [statusCode, message])).toEqual([
      [500, 'out of order'],
      [500, 'out of order'],
    ])
    expect(errors.map(({ headers }) => headers?.['stripe-should-retry'])).toEqual(['false', 'false'])
    expect(errors.map(({ headers }) => headers?.['idempotent-replayed'])).toEqual([undefined, 'true'])
    expect(attempts).toHaveLength(2)
    expect(charges).toHaveLength(1)
  })

  test('parameters that were refused are not kept, and a corrected call succeeds with the same key', async () => {
    const { stripe, charges } = await world()
    const bad = await failure(stripe.rawRequest('POST', '/v1/charges', { amount: 'many' }, withKey))
    expect([bad.statusCode, bad.param]).toEqual([400, 'amount'])
    const good = await stripe.charges.create(charge, withKey)
    expect([good.amount, good.lastResponse.headers['idempotent-replayed']]).toEqual([2000, undefined])
    expect(charges).toHaveLength(1)
  })

  test('401 and 429 of what stands in front are never kept, and replays are authenticated', async () => {
    const { client, charges, stripe } = await world()
    expect((await failure(client('revoked').charges.create(charge, withKey))).statusCode).toBe(401)
    expect((await failure(client('limited').charges.create(charge, withKey))).statusCode).toBe(429)
    expect(charges).toEqual([])
    await stripe.charges.create(charge, withKey)
    expect((await failure(client('revoked').charges.create(charge, withKey))).statusCode).toBe(401)
  })

  test('another key and another account execute, with the same parameters', async () => {
    const { client, charges } = await world()
    await client('1').charges.create(charge, withKey)
    await client('1').charges.create(charge, { idempotencyKey: 'another' })
    const other = await client('2').charges.create(charge, withKey)
    expect(other.lastResponse.headers['idempotent-replayed']).toBeUndefined()
    expect(charges.map(({ account }) => account)).toEqual(['1', '1', '2'])
  })

  test('each attempt of a call carries the key that the client has made for it', async () => {
    const { stripe, attempts } = await world()
    await stripe.charges.create(charge)
    await stripe.charges.create(charge)
    const keys = attempts.map(({ key }) => key)
    expect(keys.every((key) => key?.startsWith('stripe-node-retry-'))).toBe(true)
    expect(new Set(keys).size).toBe(2)
  })

  test('a key of 256 characters is refused', async () => {
    const { stripe, charges } = await world()
    const error = await failure(stripe.charges.create(charge, { idempotencyKey: 'k'.repeat(256) }))
    expect([error.statusCode, error.type]).toEqual([400, 'StripeInvalidRequestError'])
    expect(charges).toEqual([])
  })
})

describe('the client of Stripe for Node, v2', () => {
  const destination: Stripe.V2.Core.EventDestinationCreateParams = {
    name: 'one',
    type: 'webhook_endpoint',
    event_payload: 'thin',
    enabled_events: ['*'],
  }

  test('a call that failed is carried out again with its key, and a success is not', async () => {
    const { stripe, attempts } = await world()
    const create = (): Promise<Stripe.Response<Stripe.V2.Core.EventDestination>> =>
      stripe.v2.core.eventDestinations.create(destination, withKey)
    expect((await failure(create())).statusCode).toBe(500)
    expect((await create()).lastResponse.headers['idempotent-replayed']).toBeUndefined()
    expect((await create()).lastResponse.headers['idempotent-replayed']).toBe('true')
    expect(attempts.map(({ status }) => status)).toEqual([500, 200, 200])
  })

  test('a DELETE has its key honoured', async () => {
    const { stripe, charges } = await world()
    for (let n = 0; n < 2; n++) {
      const deleted = await stripe.v2.core.eventDestinations.del('ed_1', {}, withKey)
      expect(deleted.lastResponse.headers['idempotent-replayed']).toBe(n === 0 ? undefined : 'true')
    }
    expect(charges).toEqual([{ account: 'deleted', amount: 'ed_1' }])
  })

  test('a key that v1 has seen is a new one', async () => {
    const { stripe, client } = await world()
    await stripe.charges.create(charge, withKey)
    const failed = await failure(stripe.v2.core.eventDestinations.create(destination, withKey))
    expect(failed.statusCode).toBe(500)
    await client('1').v2.core.eventDestinations.create(destination, withKey)
    const again = await stripe.charges.create(charge, withKey)
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true')
  })

  test('another body is a StripeIdempotencyError', async () => {
    const { stripe } = await world()
    await failure(stripe.v2.core.eventDestinations.create(destination, withKey))
    const error = await failure(
      stripe.v2.core.eventDestinations.create({ ...destination, name: 'two' }, withKey),
    )
    expect(error).toBeInstanceOf(Stripe.errors.StripeIdempotencyError)
  })
})

/** Turns of the event loop until it is so. */
async function until(so: () => boolean): Promise<void> {
  while (!so()) await new Promise((resolve) => setImmediate(resolve))
}
