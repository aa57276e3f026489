import { Buffer } from 'node:buffer'
import { getRequestListener } from '@hono/node-server'
import { executionOf } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/hono'
import { Hono } from 'hono'
import { compress } from 'hono/compress'
import { describe } from 'vitest'
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
})
