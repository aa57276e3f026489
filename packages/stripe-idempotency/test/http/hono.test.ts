import { Buffer } from 'node:buffer'
import { getRequestListener } from '@hono/node-server'
import { executionOf, memoryStore } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/hono'
import { Hono } from 'hono'
import { compress } from 'hono/compress'
import { describe, expect, test } from 'vitest'
import { adapterSuite } from './adapter-suite.ts'
import { frontHeaders, type Serve } from './application.ts'
import { servedBy } from './serving.ts'
import { toWeb } from './web-reply.ts'

const serve: Serve = (application, options) => {
  const app = new Hono<{ Variables: { account: string } }>()
  app.use(compress())
  app.use(async (c, next) => {
    for (const [name, value] of Object.entries(frontHeaders(c.req.header('origin'))))
      c.res.headers.set(name, value)
    const account = c.req.header('x-account')
    if (account === undefined) return c.body(null, 401)
    if (c.req.header('x-limited') !== undefined) return c.body(null, 429)
    c.set('account', account === 'nobody' ? '' : account)
    return next()
  })
  app.use(idempotency<{ Variables: { account: string } }>({ ...options, scope: (c) => c.get('account') }))
  app.all('*', async (c) =>
    toWeb(await application.handle(c.req.path, Buffer.from(await c.req.arrayBuffer()), executionOf(c))),
  )
  app.onError((_, c) => c.text('failed', 500))
  return servedBy(getRequestListener(app.fetch))
}

describe('Hono', () => {
  adapterSuite(serve)

  test('a handler that lost its lease answers as another one did, with what stood in front of it', async () => {
    let now = 0
    const clock = { now: () => now, monotonic: () => now, setTimeout: () => 0, clearTimeout: () => {} }
    const store = memoryStore({ clock })
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const ask = async (origin: string, handle: () => Promise<string>): Promise<unknown[]> => {
      const app = new Hono()
      app.use(async (c, next) => {
        c.header('access-control-allow-origin', c.req.header('origin'))
        await next()
      })
      app.use(idempotency({ store, clock, mode: 'stripe-v1', scope: () => 'acct_1', rerun: 'safe' }))
      app.post('/', async (c) => c.text(await handle(), 200, { 'x-handler': origin }))
      const headers = { 'idempotency-key': 'k', origin }
      const response = await app.request('/', { method: 'POST', headers })
      return [
        await response.text(),
        ...['idempotent-replayed', 'access-control-allow-origin', 'x-handler'].map((name) =>
          response.headers.get(name),
        ),
      ]
    }
    const slow = ask('https://slow.example', async () => {
      begun.resolve()
      await gate.promise
      return 'slow'
    })
    await begun.promise
    now = 60_000
    expect(await ask('https://a.example', async () => 'fast')).toEqual([
      'fast',
      null,
      'https://a.example',
      'https://a.example',
    ])
    gate.resolve()
    expect(await slow).toEqual(['fast', 'true', 'https://slow.example', null])
  })
})
