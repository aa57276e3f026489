import { memoryStore } from '@loadbearing/stripe-idempotency'
import { idempotency as express } from '@loadbearing/stripe-idempotency/express'
import { idempotency as fastify } from '@loadbearing/stripe-idempotency/fastify'
import { idempotency as fetch } from '@loadbearing/stripe-idempotency/fetch'
import { idempotency as hono } from '@loadbearing/stripe-idempotency/hono'
import { idempotency as koa } from '@loadbearing/stripe-idempotency/koa'
import { idempotency as nestjs } from '@loadbearing/stripe-idempotency/nestjs'
import { expect, expectTypeOf, test } from 'vitest'

const store = memoryStore()

test('whose a key is cannot be forgotten', () => {
  const withoutScope = { store, mode: 'stripe-v1' } as const
  // @ts-expect-error -- `scope` is missing
  expect(() => express(withoutScope)).toThrow('scope must be a function')
  // @ts-expect-error -- `scope` is missing
  expect(() => fastify(withoutScope)).toThrow('scope must be a function')
  // @ts-expect-error -- `scope` is missing
  expect(() => fetch(withoutScope)).toThrow('scope must be a function')
  // @ts-expect-error -- `scope` is missing
  expect(() => hono(withoutScope)).toThrow('scope must be a function')
  // @ts-expect-error -- `scope` is missing
  expect(() => koa(withoutScope)).toThrow('scope must be a function')
  // @ts-expect-error -- `scope` is missing
  expect(() => nestjs(withoutScope)).toThrow('scope must be a function')
  // @ts-expect-error -- it may be undefined
  express({ ...withoutScope, scope: (request): string | undefined => request.get('x-account') })
})

test('a wrapped Fetch handler takes what the handler takes', () => {
  const keyed = fetch({ store, mode: 'stripe-v1', scope: () => 'acct_1' })
  const handler = keyed((_request, { params }: { params: Promise<{ id: string }> }) => {
    expectTypeOf(params).resolves.toEqualTypeOf<{ id: string }>()
    return new Response()
  })
  expectTypeOf(handler).returns.resolves.toEqualTypeOf<Response>()
  expectTypeOf(handler).parameter(1).toEqualTypeOf<{ params: Promise<{ id: string }> }>()
})
