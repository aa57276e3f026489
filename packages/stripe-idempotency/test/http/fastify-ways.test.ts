import { memoryStore } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/fastify'
import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, expect, test } from 'vitest'

const open: FastifyInstance[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

async function serve(set: (app: FastifyInstance) => void): Promise<(body: string) => Promise<Response>> {
  const app = fastify({ forceCloseConnections: true })
  await app.register(idempotency({ store: memoryStore(), mode: 'stripe-v1', scope: () => 'acct_1' }))
  set(app)
  open.push(app)
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return (body) =>
    fetch(`${url}/orders`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k' },
    })
}

test('what a schema refuses was not executed', async () => {
  let executions = 0
  const schema = {
    body: { type: 'object', required: ['amount'], properties: { amount: { type: 'number' } } },
  }
  const post = await serve((app) =>
    app.post('/orders', { schema }, async (_request, reply) => {
      executions++
      return reply.code(201).send({ id: executions })
    }),
  )
  expect((await post('{}')).status).toBe(400)
  const statuses: unknown[] = []
  for (let n = 0; n < 2; n++) {
    const response = await post('{"amount":5}')
    statuses.push([response.status, await response.json(), response.headers.get('idempotent-replayed')])
  }
  expect(statuses).toEqual([
    [201, { id: 1 }, null],
    [201, { id: 1 }, 'true'],
  ])
})

test('a handler that writes past the reply leaves its key uncertain, and is not run again', async () => {
  let executions = 0
  const post = await serve((app) =>
    app.post('/orders', (_request, reply) => {
      executions++
      reply.hijack()
      reply.raw.end('by hand')
    }),
  )
  expect(await (await post('{}')).text()).toBe('by hand')
  for (;;) {
    const response = await post('{}')
    const { error }: { error: { code: string } } = JSON.parse(await response.text())
    expect(response.status).toBe(409)
    if (error.code === 'idempotency_key_in_use') continue
    expect(error.code).toBe('idempotency_uncertain')
    break
  }
  expect(executions).toBe(1)
})
