import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'
import compress from '@fastify/compress'
import { executionOf } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/fastify'
import fastify from 'fastify'
import { describe } from 'vitest'
import { adapterSuite } from './adapter-suite.ts'
import { frontHeaders, type Serve } from './application.ts'
import { listening } from './serving.ts'

const serve: Serve = async (application, options) => {
  const app = fastify({ bodyLimit: 10_000_000 })
  await app.register(compress)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(frontHeaders(request.headers.origin))
    if (request.headers['x-account'] === undefined) await reply.code(401).send()
    else if (request.headers['x-limited'] !== undefined) await reply.code(429).send()
  })
  await app.register(
    idempotency({
      ...options,
      scope: ({ headers }) => (headers['x-account'] === 'nobody' ? '' : String(headers['x-account'])),
    }),
  )
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.all('*', async (request, reply) => {
    const made = await application.handle(
      new URL(request.url, 'http://x').pathname,
      Buffer.from(request.body instanceof Uint8Array ? request.body : ''),
      executionOf(request),
    )
    reply.code(made.status).headers({ ...made.headers })
    const { body } = made
    if (body === null) return reply.send()
    return reply.send(typeof body === 'string' || body instanceof Uint8Array ? body : Readable.from(body))
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const served = await listening(app.server)
  return {
    ...served,
    async [Symbol.asyncDispose]() {
      app.server.closeAllConnections()
      await app.close()
    },
  }
}

describe('Fastify', () => {
  adapterSuite(serve)
})
