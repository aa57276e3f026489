import type { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { executionOf } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/express'
import compression from 'compression'
import express5 from 'express'
import { describe } from 'vitest'
import { adapterSuite } from './adapter-suite.ts'
import { frontHeaders, type Reply, type Serve } from './application.ts'
import { servedBy } from './serving.ts'

const require = createRequire(import.meta.url)
// Its types are those of the other one.
const express4: typeof express5 = require('express4')

const serveWith =
  (express: typeof express5): Serve =>
  (application, options) => {
    const app = express()
    app.use((request, response, next) => {
      response.set(frontHeaders(request.get('origin')))
      if (request.get('x-account') === undefined) response.status(401).end()
      else if (request.get('x-limited') !== undefined) response.status(429).end()
      else next()
    })
    app.use(compression())
    app.use(
      idempotency({
        ...options,
        scope: (request) => (request.get('x-account') === 'nobody' ? '' : (request.get('x-account') ?? '')),
      }),
    )
    app.use(express.raw({ type: () => true, limit: '10mb' }))
    // Express 4 does not wait for a promise.
    const handle: express5.RequestHandler = (request, response, next) => void answer(request, response, next)
    const answer = async (
      request: express5.Request,
      response: express5.Response,
      next: express5.NextFunction,
    ): Promise<void> => {
      try {
        const body: Buffer = request.body
        render(response, await application.handle(request.path, body, executionOf(request)))
      } catch (error) {
        next(error)
      }
    }
    app.use(handle)
    return servedBy(app)
  }

function render(response: express5.Response, { status, headers = {}, body }: Reply): void {
  response.status(status)
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (body === null) response.end()
  else if (typeof body === 'string' || body instanceof Uint8Array) response.send(body)
  else {
    response.flushHeaders()
    Readable.from(body).pipe(response)
  }
}

describe('Express 5', () => {
  adapterSuite(serveWith(express5))
})
describe('Express 4', () => {
  adapterSuite(serveWith(express4))
})
