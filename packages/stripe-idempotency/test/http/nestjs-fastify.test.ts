import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { executionOf, memoryStore } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/nestjs'
import {
  All,
  type CanActivate,
  Controller,
  type DynamicModule,
  type ExecutionContext,
  HttpException,
  Post,
  Req,
  Res,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import compression from 'compression'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { adapterSuite } from './adapter-suite.ts'
import { type Application, frontHeaders, type Serve } from './application.ts'
import { listening } from './serving.ts'

const guard: CanActivate = {
  canActivate(context: ExecutionContext) {
    const { headers }: FastifyRequest = context.switchToHttp().getRequest()
    if (headers['x-account'] === undefined) throw new HttpException('who are you', 401)
    if (headers['x-limited'] !== undefined) throw new HttpException('not so fast', 429)
    return true
  },
}

/** A controller without the syntax of decorators, which Node does not run. */
function moduleOf(application: Application): DynamicModule {
  class Controlled {
    async handle(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      const [path = ''] = request.url.split('?')
      const answer = await application.handle(path, await buffer(request.raw), executionOf(request))
      const { status, headers = {}, body } = answer
      reply.status(status).headers(headers)
      if (body === null || typeof body === 'string' || body instanceof Uint8Array)
        await reply.send(body ?? undefined)
      else await reply.send(Readable.from(body))
    }
  }
  Req()(Controlled.prototype, 'handle', 0)
  Res()(Controlled.prototype, 'handle', 1)
  All('*')(
    Controlled.prototype,
    'handle',
    Object.getOwnPropertyDescriptor(Controlled.prototype, 'handle') ?? {},
  )
  Controller()(Controlled)
  return { module: Controlled, controllers: [Controlled] }
}

/** What Fastify has logged from its level `warn` on. */
let logged: string[] = []
afterEach(() => {
  logged = []
})

const logger = { level: 'warn', stream: { write: (line: string) => void logged.push(line) } }

const serve: Serve = async (application, options) => {
  const adapter = new FastifyAdapter({ logger })
  // Bodies are left to the handler.
  adapter.getInstance().removeAllContentTypeParsers()
  adapter.getInstance().addContentTypeParser('*', (_request, _payload, done) => done(null))
  const app = await NestFactory.create<NestFastifyApplication>(moduleOf(application), adapter, {
    logger: false,
    bodyParser: false,
  })
  app.use(compression())
  adapter.getInstance().addHook('onRequest', async (request, reply) => {
    reply.headers(frontHeaders(request.headers.origin))
  })
  app.useGlobalGuards(guard)
  app.useGlobalInterceptors(
    idempotency({
      ...options,
      scope: (context) => {
        const { headers }: FastifyRequest = context.switchToHttp().getRequest()
        return headers['x-account'] === 'nobody' ? '' : String(headers['x-account'])
      },
    }),
  )
  await app.listen(0, '127.0.0.1')
  const served = await listening(app.getHttpServer())
  return {
    ...served,
    async [Symbol.asyncDispose]() {
      app.getHttpServer().closeAllConnections()
      await app.close()
    },
  }
}

describe('NestJS on Fastify', () => {
  adapterSuite(serve)

  test('what a handler returns is kept, and Fastify is given nothing more to send', async () => {
    let executions = 0
    class Orders {
      create(): unknown {
        return { order: ++executions }
      }
    }
    Post('orders')(
      Orders.prototype,
      'create',
      Object.getOwnPropertyDescriptor(Orders.prototype, 'create') ?? {},
    )
    Controller()(Orders)
    const adapter = new FastifyAdapter({ logger })
    const module: DynamicModule = { module: Orders, controllers: [Orders] }
    const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
      logger: false,
      rawBody: true,
    })
    app.useGlobalInterceptors(idempotency({ store: memoryStore(), mode: 'stripe-v1', scope: () => 'acct_1' }))
    await app.listen(0, '127.0.0.1')
    try {
      const { url } = await listening(app.getHttpServer())
      const answers: unknown[] = []
      for (const body of ['{"a":1}', '{"a":1}', '{"a":2}']) {
        const headers = { 'content-type': 'application/json', 'idempotency-key': 'k', connection: 'close' }
        const response = await fetch(`${url}/orders`, { method: 'POST', body, headers })
        const text = await response.text()
        answers.push([
          response.status,
          response.status === 201 ? text : '',
          response.headers.get('idempotent-replayed'),
        ])
      }
      expect(answers).toEqual([
        [201, '{"order":1}', null],
        [201, '{"order":1}', 'true'],
        [400, '', null],
      ])
    } finally {
      await app.close()
    }
    expect(executions).toBe(1)
    expect(logged.filter((line) => line.includes('FST_ERR_REP_ALREADY_SENT'))).toEqual([])
  })
})
