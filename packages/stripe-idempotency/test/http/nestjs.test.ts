import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { executionOf } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/nestjs'
import {
  All,
  type CanActivate,
  Controller,
  type DynamicModule,
  type ExecutionContext,
  HttpException,
  Req,
  Res,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import compression from 'compression'
import type { Request, Response } from 'express'
import { describe } from 'vitest'
import { adapterSuite } from './adapter-suite.ts'
import { type Application, frontHeaders, type Serve } from './application.ts'
import { listening } from './serving.ts'

const guard: CanActivate = {
  canActivate(context: ExecutionContext) {
    const { headers }: Request = context.switchToHttp().getRequest()
    if (headers['x-account'] === undefined) throw new HttpException('who are you', 401)
    if (headers['x-limited'] !== undefined) throw new HttpException('not so fast', 429)
    return true
  },
}

/** A controller without the syntax of decorators, which Node does not run. */
function moduleOf(application: Application): DynamicModule {
  class Controlled {
    async handle(request: Request, response: Response): Promise<void> {
      const reply = await application.handle(request.path, await buffer(request), executionOf(request))
      response.status(reply.status)
      for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value)
      if (reply.body === null) response.end()
      else if (typeof reply.body === 'string' || reply.body instanceof Uint8Array) response.send(reply.body)
      else {
        response.flushHeaders()
        Readable.from(reply.body).pipe(response)
      }
    }
  }
  Req()(Controlled.prototype, 'handle', 0)
  Res()(Controlled.prototype, 'handle', 1)
  All('*path')(
    Controlled.prototype,
    'handle',
    Object.getOwnPropertyDescriptor(Controlled.prototype, 'handle') ?? {},
  )
  Controller()(Controlled)
  return { module: Controlled, controllers: [Controlled] }
}

const serve: Serve = async (application, options) => {
  const app = await NestFactory.create<NestExpressApplication>(moduleOf(application), {
    logger: false,
    bodyParser: false,
  })
  app.use(compression())
  app.use((request: Request, response: Response, next: () => void) => {
    response.set(frontHeaders(request.get('origin')))
    next()
  })
  app.useGlobalGuards(guard)
  app.useGlobalInterceptors(
    idempotency({
      ...options,
      scope: (context) => {
        const { headers }: Request = context.switchToHttp().getRequest()
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

describe('NestJS', () => {
  adapterSuite(serve)
})
