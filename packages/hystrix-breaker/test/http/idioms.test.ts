import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import express5, { type ErrorRequestHandler, type NextFunction, type Response } from 'express'
import fastify5 from 'fastify'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { expect, test } from 'vitest'
import { breakerMiddleware as expressBreaker } from '../../src/adapters/express.ts'
import { breakerPlugin } from '../../src/adapters/fastify.ts'
import { type GuardedEnv, HttpRefusal, breakerMiddleware as honoBreaker } from '../../src/adapters/hono.ts'
import { Breaker, isResilienceError, Registry } from '../../src/index.ts'
import { ask, served } from '../stream/served.ts'
import { steppedClock } from '../stream/stepped-clock.ts'

const require = createRequire(import.meta.url)
// Their types are those of the newer ones.
const express4: typeof express5 = require('express4')
const expresses = [
  { name: 'Express 5', express: express5 },
  { name: 'Express 4', express: express4 },
]

const fastify4: typeof fastify5 = require('fastify4')
const fastifies = [
  { name: 'Fastify 5', fastify: fastify5 },
  { name: 'Fastify 4', fastify: fastify4 },
]

const namesOf = (registry: Registry): string[] => [...registry].map(({ name }) => name).toSorted()

test.each(fastifies)(
  '$name: the plugin guards its context and those below, routes have options of their own',
  async ({ fastify }) => {
    const registry = new Registry()
    const app = fastify()
    const ok = async (): Promise<string> => 'ok'
    app.get('/outside', ok)
    await app.register(async (inner) => {
      inner.get('/before', ok)
      await inner.register(breakerPlugin, { registry, options: { volumeThreshold: 7 } })
      inner.get('/usual', ok)
      inner.get('/own/:id', { config: { breaker: { volumeThreshold: 3, timeout: false } } }, ok)
      inner.get('/not', { config: { breaker: false } }, async ({ guarded }) => ({ guarded }))
      await inner.register(async (below) => {
        below.get('/below', ok)
      })
    })
    for (const url of ['/outside', '/before', '/usual', '/own/1', '/own/2', '/not', '/below', '/nowhere'])
      await app.inject(url)
    expect((await app.inject('/not')).json()).toEqual({ guarded: null })
    expect(namesOf(registry)).toEqual(['GET /before', 'GET /below', 'GET /own/:id', 'GET /usual'])
    expect(registry.get('GET /usual')?.settings.circuit.volumeThreshold).toBe(7)
    expect(registry.get('GET /own/:id')?.settings).toMatchObject({
      timeout: undefined,
      circuit: { volumeThreshold: 3 },
    })
    expect(registry.get('GET /own/:id')?.metrics.total().SUCCESS).toBe(2)
    await app.close()
  },
)

test.each(fastifies)(
  '$name: with global false only the routes that ask for it, and a wrong config fails when the route is added',
  async ({ fastify }) => {
    const registry = new Registry()
    const app = fastify()
    await app.register(breakerPlugin, { registry, global: false })
    app.get('/usual', async () => 'ok')
    app.get('/asked', { config: { breaker: true } }, async () => 'ok')
    expect(() => app.get('/wrong', { config: { breaker: { timeout: -1 } } }, async () => 'ok')).toThrow(
      /timeout must be a duration/,
    )
    for (const url of ['/usual', '/asked']) await app.inject(url)
    expect(namesOf(registry)).toEqual(['GET /asked'])
    await app.close()
  },
)

test.each(fastifies)(
  '$name: the error handler decides, and the body of a refused request is not read',
  async ({ fastify }) => {
    const registry = new Registry()
    registry.add(new Breaker({ name: 'POST /orders' }))
    registry.get('POST /orders')?.force('forced-open')
    const app = fastify()
    await app.register(breakerPlugin, { registry })
    let parsed = 0
    app.addHook('preValidation', async () => {
      parsed++
    })
    app.setErrorHandler((error, _, reply) => {
      if (error instanceof HttpRefusal)
        return reply.code(error.status).headers(error.headers).send({ down: error.code })
      throw error
    })
    app.post('/orders', async () => 'ok')
    const answer = await app.inject({ method: 'POST', url: '/orders', payload: { a: 1 } })
    expect([answer.statusCode, answer.json()]).toEqual([503, { down: 'CIRCUIT_OPEN' }])
    expect(parsed).toBe(0)
    await app.close()
  },
)

test.each(expresses)('$name: routers, mounted paths and applications name breakers', async ({ express }) => {
  const registry = new Registry()
  const app = express()
  const router = express.Router()
  router.get(['/a/:id', /^\/b/], expressBreaker({ registry }), (_, response) => void response.send('ok'))
  app.use('/api', router)
  app.use('/mounted', expressBreaker({ registry }), (_, response) => void response.send('ok'))
  app.get('/named', expressBreaker({ registry, keyOf: ({ path }) => path.slice(1) }), (_, response) => {
    response.send('ok')
  })
  app.get('/free', expressBreaker({ registry, keyOf: () => undefined }), (_, response) => {
    response.send(typeof response.locals.guarded)
  })
  await using server = await served(app)
  for (const path of ['/api/a/1', '/api/b', '/mounted/x', '/named'])
    expect(await ask(server.url + path)).toMatchObject({ status: 200 })
  expect((await ask(`${server.url}/free`)).text).toBe('undefined')
  expect(namesOf(registry)).toEqual(['/mounted', 'GET /api/a/:id,^\\/b', 'named'])
})

test.each(expresses)(
  '$name: error handlers see the refusal, and make failures of what they answer',
  async ({ express }) => {
    const clock = steppedClock()
    const registry = new Registry()
    const app = express()
    app.get('/', expressBreaker({ registry, options: { volumeThreshold: 2, clock } }), () => {
      throw Object.assign(new Error('no such thing'), { status: 404 })
    })
    const seen: unknown[] = []
    const handler: ErrorRequestHandler = (error, _, response, next) => {
      seen.push(error)
      if (isResilienceError(error)) return next(error)
      response.status(404).json({ error: 'no such thing' })
    }
    app.set('env', 'test')
    app.use(handler)
    await using server = await served(app)
    for (let n = 0; n < 3; n++) expect(await ask(server.url)).toMatchObject({ status: 404 })
    const breaker = registry.get('GET /')
    expect(breaker?.counts).toMatchObject({ total: 3, failures: 0 })
    breaker?.force('forced-open')
    expect(await ask(server.url)).toMatchObject({ status: 503 })
    expect(seen.at(-1)).toBeInstanceOf(HttpRefusal)
  },
)

test.each(expresses)(
  '$name: a handler that answers after its time does not harm the next request of the connection',
  async ({ express }) => {
    const clock = steppedClock()
    const late = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const app = express()
    app.set('env', 'test')
    const answer = async (response: Response, next: NextFunction): Promise<void> => {
      begun.resolve()
      await late.promise
      try {
        response.send('too late')
      } catch (error) {
        next(error)
      }
    }
    // Express 4 does not wait for a promise.
    app.get(
      '/slow',
      expressBreaker({ options: { clock, timeout: 100 } }),
      (_, response, next) => void answer(response, next),
    )
    await using server = await served(app)
    const socket = connect(server.port, '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n')
    await begun.promise
    clock.advance(100)
    await once(socket, 'end')
    expect(text).toMatch(/^HTTP\/1.1 504 Gateway Timeout\r\n/)
    expect(text).toMatch(/\r\nConnection: close\r\n/)
    late.resolve()
    expect((await ask(`${server.url}/nowhere`)).status).toBe(404)
  },
)

test.each(expresses)(
  '$name: an answer counts when it begins: streams hold neither probe nor place, and hidden ways to answer count too',
  async ({ express }) => {
    const registry = new Registry()
    const app = express()
    const guard = expressBreaker({ registry, keyOf: ({ path }) => path })
    app.get('/stream', guard, (_, response) => void response.write('first'))
    app.get('/raw', guard, (_, response) => void response.writeHead(502, { 'x-a': 'b' }).end())
    app.get('/flushed', guard, (_, response) => {
      response.statusCode = 503
      response.flushHeaders()
      response.end()
    })
    await using server = await served(app)
    const socket = connect(server.port, '127.0.0.1')
    socket.write('GET /stream HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(socket, 'data')
    expect(registry.get('/stream')).toMatchObject({
      calls: { running: 0 },
      counts: { total: 1, failures: 0 },
    })
    socket.destroy()
    expect(await ask(`${server.url}/raw`)).toMatchObject({ status: 502, headers: { 'x-a': 'b' } })
    expect(await ask(`${server.url}/flushed`)).toMatchObject({ status: 503 })
    expect(registry.get('/raw')?.counts).toMatchObject({ total: 1, failures: 1 })
    expect(registry.get('/flushed')?.counts).toMatchObject({ total: 1, failures: 1 })
  },
)

test('Hono: one middleware names the breaker of each route, onError decides', async () => {
  const registry = new Registry()
  const app = new Hono<GuardedEnv>().basePath('/v1')
  app.use('*', honoBreaker({ registry }))
  app.get('/users/:id', (context) => context.text(context.get('guarded').breaker.name))
  app.post('/users/:id', (context) => context.text('made'))
  app.onError((error, context) => {
    if (error instanceof HTTPException && error.cause instanceof HttpRefusal)
      return context.json({ down: error.cause.code }, error.status)
    return context.text('failed', 500)
  })
  expect(await (await app.request('/v1/users/7')).text()).toBe('GET /v1/users/:id')
  await app.request('/v1/users/8', { method: 'POST' })
  expect(namesOf(registry)).toEqual(['GET /v1/users/:id', 'POST /v1/users/:id'])
  registry.get('GET /v1/users/:id')?.force('forced-open')
  const refused = await app.request('/v1/users/7')
  expect([refused.status, await refused.json()]).toEqual([503, { down: 'CIRCUIT_OPEN' }])
})

test('Hono: without an onError, what it answers is text with Retry-After', async () => {
  const clock = steppedClock()
  const app = new Hono<GuardedEnv>()
  app.use(honoBreaker({ options: { volumeThreshold: 1, sleepWindow: 1500, clock } }))
  app.get('/', (context) => context.text('no', 502))
  expect((await app.request('/')).status).toBe(502)
  const refused = await app.request('/')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2'])
  expect(await refused.text()).toBe('GET /: the circuit is open; the next probe may go in 1500 ms')
})

test('requests of made-up names cannot fill the memory', async () => {
  const registry = new Registry({ max: 3 })
  const app = new Hono<GuardedEnv>()
  app.use(honoBreaker({ registry, keyOf: ({ req }) => req.path }))
  for (let n = 0; n < 20; n++) await app.request(`/__proto__/${n}`)
  expect(registry.size).toBe(3)
})
