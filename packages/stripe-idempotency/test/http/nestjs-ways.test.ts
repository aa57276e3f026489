import { memoryStore } from '@loadbearing/stripe-idempotency'
import { idempotency, type NestOptions } from '@loadbearing/stripe-idempotency/nestjs'
import { BadRequestException, Body, Controller, type DynamicModule, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { afterEach, expect, test } from 'vitest'
import { listening } from './serving.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

interface Order {
  readonly amount: number
}

/** A controller whose pipe refuses what has no amount. */
function orders(executions: Order[]): DynamicModule {
  class Orders {
    create(order: Order): unknown {
      executions.push(order)
      return { id: executions.length, ...order }
    }
  }
  const pipe = {
    transform(order: Order): Order {
      if (typeof order.amount !== 'number') throw new BadRequestException('amount is missing')
      return order
    },
  }
  Body(pipe)(Orders.prototype, 'create', 0)
  Post('orders')(
    Orders.prototype,
    'create',
    Object.getOwnPropertyDescriptor(Orders.prototype, 'create') ?? {},
  )
  Controller()(Orders)
  return { module: Orders, controllers: [Orders] }
}

async function serve(
  options: Pick<NestOptions, 'notExecuted'> = {},
): Promise<{ executions: Order[]; post(body: string): Promise<[number, string, string | null]> }> {
  const executions: Order[] = []
  const app = await NestFactory.create(orders(executions), { logger: false, rawBody: true })
  app.useGlobalInterceptors(
    idempotency({ store: memoryStore(), mode: 'stripe-v1', scope: () => 'acct_1', ...options }),
  )
  await app.listen(0, '127.0.0.1')
  open.push(app)
  const { url } = await listening(app.getHttpServer())
  return {
    executions,
    async post(body) {
      const response = await fetch(`${url}/orders`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', 'idempotency-key': 'k', connection: 'close' },
      })
      return [response.status, await response.text(), response.headers.get('idempotent-replayed')]
    },
  }
}

test('what a handler returns is kept as Nest has sent it', async () => {
  const { executions, post } = await serve()
  expect(await post('{"amount":5}')).toEqual([201, '{"id":1,"amount":5}', null])
  expect(await post('{ "amount": 5 }')).toEqual([201, '{"id":1,"amount":5}', 'true'])
  expect(executions).toHaveLength(1)
})

test('with the raw body large numbers differ', async () => {
  const { post } = await serve()
  expect((await post('{"amount":9007199254740993}'))[0]).toBe(201)
  expect((await post('{"amount":9007199254740992}'))[0]).toBe(400)
})

test('what a pipe has refused is kept, unless it is said to have come before execution', async () => {
  const kept = await serve()
  expect((await kept.post('{}'))[0]).toBe(400)
  expect((await kept.post('{}'))[2]).toBe('true')
  const released = await serve({ notExecuted: (error) => error instanceof BadRequestException })
  expect((await released.post('{}'))[0]).toBe(400)
  expect(await released.post('{"amount":5}')).toEqual([201, '{"id":1,"amount":5}', null])
})
