import { butNot, defineModel, direct, openZanzibar } from '@loadbearing/zanzibar'
import { authorization as forExpress } from '@loadbearing/zanzibar/express'
import { authorization as forFastify } from '@loadbearing/zanzibar/fastify'
import { authorization as forHono } from '@loadbearing/zanzibar/hono'
import { authorization as forNest } from '@loadbearing/zanzibar/nestjs'
import { expect, test } from 'vitest'

const model = defineModel({
  user: {},
  document: { owner: direct('user'), blocked: direct('user'), viewer: butNot('owner', 'blocked') },
})

test('guards of a model of TypeScript are held to its types', async () => {
  await using zanzibar = await openZanzibar({ model })
  const user = (): string => 'user:anne'
  const express = forExpress({ zanzibar, user })
  const hono = forHono({ zanzibar, user })
  const guards = [
    express('viewer', (request) => `document:${String(request.params['id'])}`),
    // @ts-expect-error a document has no relation `viewr`
    express('viewr', (request) => `document:${String(request.params['id'])}`),
    // @ts-expect-error there is no type `folder`
    express('viewer', (request) => `folder:${String(request.params['id'])}`),
    // @ts-expect-error a user has no relations
    express('viewer', 'user:anne'),
    hono('viewer', (context) => `document:${context.req.param('id')}`),
    // @ts-expect-error a document has no relation `viewr`
    hono('viewr', 'document:1'),
    forFastify({ zanzibar, user })('owner', 'document:1'),
    // @ts-expect-error a document has no relation `ownr`
    forFastify({ zanzibar, user })('ownr', 'document:1'),
    forNest({ zanzibar, user })('owner', 'document:1'),
    // @ts-expect-error a document has no relation `ownr`
    forNest({ zanzibar, user })('ownr', 'document:1'),
  ]
  expect(guards).toHaveLength(10)
})

test('guards of a model of the DSL take any text', async () => {
  await using zanzibar = await openZanzibar({ model: 'model\n  schema 1.1\ntype user\n' })
  const guard = forExpress({ zanzibar, user: () => 'user:anne' })('any', (request) => request.path)
  expect(guard).toBeTypeOf('function')
})
