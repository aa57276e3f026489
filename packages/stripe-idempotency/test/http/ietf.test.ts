import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { memoryStore } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/express'
import express from 'express'
import { afterEach, expect, test } from 'vitest'
import { servedBy } from './serving.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]()
})

interface Answer {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly link: string | undefined
  readonly body: string
}

async function api(): Promise<{
  post(keys: readonly string[], body?: string): Promise<Answer>
  gate: PromiseWithResolvers<void>
  begun: Promise<void>
  executions: () => number
}> {
  const app = express()
  const gate = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  let executions = 0
  app.use(idempotency({ store: memoryStore(), mode: 'ietf', scope: () => 'acct_1' }))
  app.post('/orders', express.json(), (request, response) => {
    executions++
    begun.resolve()
    const answer = (): void => {
      response.status(201).json({ order: executions })
    }
    if (request.body.slow === true) void gate.promise.then(answer)
    else answer()
  })
  const served = await servedBy(app)
  open.push(served)
  return {
    gate,
    begun: begun.promise,
    executions: () => executions,
    async post(keys, body = '{"item":1}') {
      const request = httpRequest(`${served.url}/orders`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(keys.length > 0 && { 'idempotency-key': [...keys] }),
        },
      })
      request.end(body)
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      const { 'content-type': type, link } = response.headers
      return { status: response.statusCode, type, link: String(link), body: await text(response) }
    },
  }
}

function problem({ type, link, body }: Answer): unknown {
  expect(type).toBe('application/problem+json')
  expect(link).toMatch(/^<https:.*>; rel="describedby"/)
  const { title, status }: { title: string; status: number } = JSON.parse(body)
  return [status, title]
}

test('a key is required, in the words of the draft', async () => {
  const { post, executions } = await api()
  expect(problem(await post([]))).toEqual([400, 'Idempotency-Key is missing'])
  expect(executions()).toBe(0)
})

test('another payload is 422, one at work 409', async () => {
  const { post, gate, begun, executions } = await api()
  const first = post(['"k"'], '{"slow":true}')
  await begun
  expect(problem(await post(['"k"'], '{"slow":true}'))).toEqual([
    409,
    'A request is outstanding for this Idempotency-Key',
  ])
  expect(problem(await post(['"k"']))).toEqual([422, 'Idempotency-Key is already used'])
  gate.resolve()
  expect((await first).status).toBe(201)
  expect(problem(await post(['"k"']))).toEqual([422, 'Idempotency-Key is already used'])
  expect(executions()).toBe(1)
})

test('the quoted and the bare form are one key', async () => {
  const { post, executions } = await api()
  const key = '8e03978e-40d5-43dd-bc93-6894a57f9324'
  const answers = [await post([`"${key}"`]), await post([key]), await post([`"${key}";a=1`])]
  expect(answers.map(({ status, body }) => [status, body])).toEqual(answers.map(() => [201, '{"order":1}']))
  expect(executions()).toBe(1)
})

test.each([[['"a"', '"a"']], [['"a", "b"']], [['']], [['"unfinished']], [['?1, ?0']]])(
  '%j is no key',
  async (keys) => {
    const { post, executions } = await api()
    expect(problem(await post(keys))).toEqual([400, 'Idempotency-Key is invalid'])
    expect(executions()).toBe(0)
  },
)

test('another key with the same payload is another operation', async () => {
  const { post, executions } = await api()
  expect([(await post(['"a"'])).body, (await post(['"b"'])).body]).toEqual(['{"order":1}', '{"order":2}'])
  expect(executions()).toBe(2)
})
