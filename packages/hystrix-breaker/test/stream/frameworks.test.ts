import { once } from 'node:events'
import type { Server } from 'node:http'
import { type HttpBindings, serve } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { dashboardPage, hystrixStream } from '../../src/adapters/stream.ts'
import { Breaker, Registry } from '../../src/index.ts'
import { ask, StreamListener, served } from './served.ts'

function made(): { stream: ReturnType<typeof hystrixStream>; page: ReturnType<typeof dashboardPage> } {
  const registry = new Registry()
  registry.add(new Breaker({ name: 'users' }))
  return { stream: hystrixStream(registry, { delay: 20 }), page: dashboardPage() }
}

/** What `url` answers as it does without a framework. */
async function answered(url: string): Promise<unknown> {
  using client = await StreamListener.open(`${url}/hystrix.stream`)
  await client.until(({ pings }) => pings > 2)
  const page = await ask(`${url}/`)
  return [client.response.headers['content-type'], client.frames[0]?.name, page.headers['content-type']]
}

const expected = ['text/event-stream;charset=UTF-8', 'users', 'text/html;charset=UTF-8']

test('Express', async () => {
  const { stream, page } = made()
  const app = express()
  app.all('/hystrix.stream', stream)
  app.get('/', page)
  await using server = await served(app)
  expect(await answered(server.url)).toEqual(expected)
  expect(await ask(`${server.url}/hystrix.stream`, { method: 'POST' })).toMatchObject({ status: 405 })
  await stream[Symbol.asyncDispose]()
})

test('Fastify', async () => {
  const { stream, page } = made()
  const app = fastify()
  for (const [path, listener] of [['/hystrix.stream', stream] as const, ['/', page] as const]) {
    app.get(path, (request, reply) => {
      reply.hijack()
      listener(request.raw, reply.raw)
    })
  }
  expect(await answered(await app.listen({ port: 0, host: '127.0.0.1' }))).toEqual(expected)
  await stream[Symbol.asyncDispose]()
  await app.close()
})

test('Hono on Node', async () => {
  const { stream, page } = made()
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.get('/hystrix.stream', ({ env }) => {
    stream(env.incoming, env.outgoing)
    return RESPONSE_ALREADY_SENT
  })
  app.get('/', ({ env }) => {
    page(env.incoming, env.outgoing)
    return RESPONSE_ALREADY_SENT
  })
  // Its own Response, which it would put in place of the global one for all tests of this process, sends
  // RESPONSE_ALREADY_SENT again.
  const server = serve({
    fetch: app.fetch,
    port: 0,
    hostname: '127.0.0.1',
    overrideGlobalObjects: false,
  }) as Server
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  expect(await answered(`http://127.0.0.1:${port}`)).toEqual(expected)
  await stream[Symbol.asyncDispose]()
  server.closeAllConnections()
  server.close()
})
