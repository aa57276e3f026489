import { once } from 'node:events'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { breakerMiddleware as expressBreaker } from '../../src/adapters/express.ts'
import { breakerPlugin } from '../../src/adapters/fastify.ts'
import { type GuardedEnv, breakerMiddleware as honoBreaker } from '../../src/adapters/hono.ts'
import type { GuardedRequest, RouteGuardOptions } from '../../src/adapters/route-guard.ts'

const require = createRequire(import.meta.url)
// Their types are those of the newer ones.
const express4: typeof express = require('express4')
const fastify4: typeof fastify = require('fastify4')

/** What the handler of `/users/:id` does: it answers a text, a status with a text, throws, or takes its time. */
export type Handler = (guarded: GuardedRequest) => string | number | Promise<string | number>

export interface GuardedApp extends AsyncDisposable {
  readonly url: string
  /** What the framework calls the guarded route. */
  readonly route: string
  handler: Handler
}

export type MakeApp = (options: RouteGuardOptions) => Promise<GuardedApp>

/** The same application in each framework: `/users/:id` is guarded, by its framework's own idiom. */
export const frameworks: readonly (readonly [name: string, make: MakeApp])[] = [
  ['Express 5', (options) => expressApp(express, options)],
  ['Express 4', (options) => expressApp(express4, options)],
  ['Fastify 5', (options) => fastifyApp(fastify, options)],
  ['Fastify 4', (options) => fastifyApp(fastify4, options)],
  ['Hono', honoApp],
]

async function listening(server: Server): Promise<Pick<GuardedApp, 'url' | typeof Symbol.asyncDispose>> {
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function expressApp(module: typeof express, options: RouteGuardOptions): Promise<GuardedApp> {
  const it: { handler: Handler } = { handler: () => 'well' }
  const app = module()
  // As in production: Express prints the errors that it answers otherwise.
  app.set('env', 'test')
  const answer = async (response: express.Response, next: express.NextFunction): Promise<void> => {
    try {
      const answered = await it.handler(response.locals.guarded as GuardedRequest)
      if (response.headersSent || response.destroyed) return
      if (typeof answered === 'number') response.status(answered).send(`status ${answered}`)
      else response.send(answered)
    } catch (error) {
      next(error)
    }
  }
  // Express 4 does not wait for a promise.
  app.get('/users/:id', expressBreaker(options), (_, response, next) => void answer(response, next))
  return Object.assign(it, await listening(app.listen(0, '127.0.0.1')), { route: 'GET /users/:id' })
}

async function fastifyApp(make: typeof fastify, options: RouteGuardOptions): Promise<GuardedApp> {
  const it: { handler: Handler } = { handler: () => 'well' }
  const app = make({ forceCloseConnections: true })
  await app.register(breakerPlugin, options)
  app.get('/users/:id', async (request, reply) => {
    const answer = await it.handler(request.guarded as GuardedRequest)
    if (reply.sent) return reply
    return typeof answer === 'number' ? reply.code(answer).send(`status ${answer}`) : answer
  })
  return Object.assign(it, {
    url: await app.listen({ port: 0, host: '127.0.0.1' }),
    route: 'GET /users/:id',
    [Symbol.asyncDispose]: async () => {
      await app.close()
    },
  })
}

async function honoApp(options: RouteGuardOptions): Promise<GuardedApp> {
  const it: { handler: Handler } = { handler: () => 'well' }
  const app = new Hono<GuardedEnv>()
  app.use(honoBreaker(options))
  app.get('/users/:id', async (context) => {
    const answer = await it.handler(context.get('guarded'))
    return typeof answer === 'number' ? context.text(`status ${answer}`, answer as 200) : context.text(answer)
  })
  // Hono prints the errors that it answers otherwise.
  app.onError((error) =>
    'getResponse' in error ? error.getResponse() : new Response('failed', { status: 500 }),
  )
  // Its own Response, which it would put in place of the global one for all tests of this process, sends
  // RESPONSE_ALREADY_SENT again.
  const server = serve({
    fetch: app.fetch,
    port: 0,
    hostname: '127.0.0.1',
    overrideGlobalObjects: false,
  }) as Server
  return Object.assign(it, await listening(server), { route: 'GET /users/:id' })
}
