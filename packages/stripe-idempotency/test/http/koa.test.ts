import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { executionOf } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/koa'
import Koa from 'koa'
import compress from 'koa-compress'
import { describe } from 'vitest'
import { adapterSuite } from './adapter-suite.ts'
import { frontHeaders, type Serve } from './application.ts'
import { servedBy } from './serving.ts'

const serve: Serve = (application, options) => {
  const app = new Koa()
  app.silent = true
  app.use(compress())
  app.use(async (ctx, next) => {
    ctx.set(frontHeaders(ctx.get('origin')))
    if (ctx.get('x-account') === '') ctx.status = 401
    else if (ctx.get('x-limited') !== '') ctx.status = 429
    else await next()
  })
  app.use(
    idempotency({
      ...options,
      scope: (ctx) => (ctx.get('x-account') === 'nobody' ? '' : ctx.get('x-account')),
    }),
  )
  app.use(async (ctx) => {
    const {
      status,
      headers = {},
      body,
    } = await application.handle(ctx.path, await buffer(ctx.req), executionOf(ctx))
    ctx.body =
      body === null || typeof body === 'string' || body instanceof Uint8Array ? body : Readable.from(body)
    ctx.status = status
    ctx.set({ ...headers })
  })
  return servedBy(app.callback())
}

describe('Koa', () => {
  adapterSuite(serve)
})
