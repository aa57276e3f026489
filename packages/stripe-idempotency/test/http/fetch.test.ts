import { Buffer } from 'node:buffer'
import { getRequestListener } from '@hono/node-server'
import { executionOf } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/fetch'
import { Hono } from 'hono'
import { compress } from 'hono/compress'
import { describe } from 'vitest'
import { adapterSuite } from './adapter-suite.ts'
import { frontHeaders, type Serve } from './application.ts'
import { servedBy } from './serving.ts'
import { toWeb } from './web-reply.ts'

const serve: Serve = (application, options) => {
  const account = (request: Request): string => request.headers.get('x-account') ?? ''
  const handler = idempotency({
    ...options,
    scope: (request) => (account(request) === 'nobody' ? '' : account(request)),
  })(async (request) => {
    const body = Buffer.from(await request.arrayBuffer())
    try {
      return toWeb(await application.handle(new URL(request.url).pathname, body, executionOf(request)))
    } catch {
      return new Response('failed', { status: 500 })
    }
  })
  const front = new Hono()
  front.use(compress())
  front.use(async (c, next) => {
    await next()
    for (const [name, value] of Object.entries(frontHeaders(c.req.header('origin')))) c.header(name, value)
  })
  front.all('*', async ({ req }) => {
    if (!req.raw.headers.has('x-account')) return new Response(null, { status: 401 })
    if (req.raw.headers.has('x-limited')) return new Response(null, { status: 429 })
    return handler(req.raw)
  })
  front.onError(() => new Response('failed', { status: 500 }))
  return servedBy(getRequestListener(front.fetch))
}

describe('Fetch handlers', () => {
  adapterSuite(serve)
})
