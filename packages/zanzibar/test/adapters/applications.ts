import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { Context, Zanzibar } from '@loadbearing/zanzibar'
import * as forExpress from '@loadbearing/zanzibar/express'
import * as forFastify from '@loadbearing/zanzibar/fastify'
import * as forHono from '@loadbearing/zanzibar/hono'
import * as forNest from '@loadbearing/zanzibar/nestjs'
import { Controller, type DynamicModule, type ExecutionContext, Get, UseGuards } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import express, { type Request } from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'

const require = createRequire(import.meta.url)
// Its types are those of the other one.
const express4: typeof express = require('express4')

/** An application with `GET /documents/:id` for viewers and `GET /house` for keepers of the house, that counts what got through. */
export interface Application extends AsyncDisposable {
  readonly url: string
  readonly handled: () => number
}

export type Serve = (options: ServeOptions) => Promise<Application>

export interface ServeOptions {
  readonly zanzibar: Pick<Zanzibar, 'check'>
  readonly denied?: 403 | 404
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

const userOf = (headers: Headers): string | undefined => headers['x-user']?.toString()

/** What the wall clock is for the conditions. */
const contextOf = (headers: Headers): Context | undefined => {
  const now = headers['x-now']?.toString()
  return now === undefined ? undefined : { now }
}

function onExpress(module: typeof express): Serve {
  return async ({ zanzibar, ...rest }) => {
    let handled = 0
    const requires = forExpress.authorization({
      zanzibar,
      user: ({ headers }) => userOf(headers),
      context: ({ headers }) => contextOf(headers),
      ...rest,
    })
    const app = module()
    const handler = (_: Request, response: express.Response): void => {
      handled++
      response.json({ ok: true })
    }
    app.get(
      '/documents/:id',
      requires('viewer', ({ params }) => `document:${String(params['id'])}`),
      handler,
    )
    app.get('/house', requires('keeper', 'house:1'), handler)
    return listening(createServer(listenerOf(app)).listen(0, '127.0.0.1'), () => handled)
  }
}

function listenerOf(app: (...each: Parameters<RequestListener>) => unknown): RequestListener {
  return (request, response) => void app(request, response)
}

const onFastify: Serve = async ({ zanzibar, ...rest }) => {
  let handled = 0
  const requires = forFastify.authorization({
    zanzibar,
    user: ({ headers }) => userOf(headers),
    context: ({ headers }) => contextOf(headers),
    ...rest,
  })
  const app = fastify()
  const handler = async (): Promise<object> => {
    handled++
    return { ok: true }
  }
  const idOf = (params: unknown): string => String(Reflect.get(Object(params), 'id'))
  app.get(
    '/documents/:id',
    { preHandler: requires('viewer', ({ params }) => `document:${idOf(params)}`) },
    handler,
  )
  app.get('/house', { preHandler: requires('keeper', 'house:1') }, handler)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return listening(app.server, () => handled)
}

const onHono: Serve = async ({ zanzibar, ...rest }) => {
  let handled = 0
  const requires = forHono.authorization({
    zanzibar,
    user: (context) => context.req.header('x-user'),
    context: (context) => contextOf(context.req.header()),
    ...rest,
  })
  const app = new Hono()
  app.get(
    '/documents/:id',
    requires('viewer', (context) => `document:${context.req.param('id')}`),
    (context) => {
      handled++
      return context.json({ ok: true })
    },
  )
  app.get('/house', requires('keeper', 'house:1'), (context) => {
    handled++
    return context.json({ ok: true })
  })
  const server = createServer((request, response) => {
    const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [
      name,
      String(value),
    ])
    void (async () => {
      const answer = await app.request(`http://host${request.url}`, { headers })
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
    })()
  })
  return listening(server.listen(0, '127.0.0.1'), () => handled)
}

/** A controller without the syntax of decorators, which Node does not run. */
function nestModule({ zanzibar, ...rest }: ServeOptions, handle: () => void): DynamicModule {
  const headersOf = (context: ExecutionContext): Headers =>
    context.switchToHttp().getRequest<{ headers: Headers }>().headers
  const requires = forNest.authorization({
    zanzibar,
    user: (context) => userOf(headersOf(context)),
    context: (context) => contextOf(headersOf(context)),
    ...rest,
  })
  class Controlled {
    document(): object {
      handle()
      return { ok: true }
    }
    house(): object {
      handle()
      return { ok: true }
    }
  }
  const decorate = (method: 'document' | 'house', path: string, guard: ReturnType<typeof requires>): void => {
    const descriptor = Object.getOwnPropertyDescriptor(Controlled.prototype, method) ?? {}
    Get(path)(Controlled.prototype, method, descriptor)
    UseGuards(guard)(Controlled.prototype, method, descriptor)
  }
  const documentOf = (context: ExecutionContext): string =>
    `document:${context.switchToHttp().getRequest<{ params: { id: string } }>().params.id}`
  decorate('document', 'documents/:id', requires('viewer', documentOf))
  decorate('house', 'house', requires('keeper', 'house:1'))
  Controller()(Controlled)
  return { module: Controlled, controllers: [Controlled] }
}

const onNestExpress: Serve = async (options) => {
  let handled = 0
  const module = nestModule(options, () => handled++)
  const app = await NestFactory.create<NestExpressApplication>(module, { logger: false })
  await app.listen(0, '127.0.0.1')
  return listening(app.getHttpServer(), () => handled)
}

const onNestFastify: Serve = async (options) => {
  let handled = 0
  const module = nestModule(options, () => handled++)
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), {
    logger: false,
  })
  await app.listen(0, '127.0.0.1')
  return listening(app.getHttpServer(), () => handled)
}

/** By the name of the framework. */
export const frameworks: Readonly<Record<string, Serve>> = {
  'Express 5': onExpress(express),
  'Express 4': onExpress(express4),
  Fastify: onFastify,
  Hono: onHono,
  'NestJS on Express': onNestExpress,
  'NestJS on Fastify': onNestFastify,
}

async function listening(server: Server, handled: () => number): Promise<Application> {
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    handled,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
