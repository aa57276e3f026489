import { openZanzibar, type Zanzibar, ZanzibarError } from '@loadbearing/zanzibar'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { frameworks } from './applications.ts'

const model = `model
  schema 1.1
type user
type house
  relations
    define keeper: [user with on_shift]
type document
  relations
    define viewer: [user]
condition on_shift(now: timestamp, ends: timestamp) {
  now < ends
}
`

let zanzibar: Zanzibar
beforeAll(async () => {
  zanzibar = await openZanzibar({ model })
  await zanzibar.write({
    add: [
      ['user:anne', 'viewer', 'document:1'],
      {
        user: 'user:anne',
        relation: 'keeper',
        object: 'house:1',
        condition: { name: 'on_shift', context: { ends: '2026-01-01T18:00:00Z' } },
      },
    ],
  })
})
afterAll(() => zanzibar[Symbol.asyncDispose]())

describe.each(Object.entries(frameworks))('%s', (_, serve) => {
  const ask = async (
    url: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; challenge: string | null; body: string }> => {
    const answer = await fetch(url, { headers })
    return {
      status: answer.status,
      challenge: answer.headers.get('www-authenticate'),
      body: await answer.text(),
    }
  }

  test('lets through who has the relation: nobody 401, others 403', async () => {
    await using app = await serve({ zanzibar })
    const url = `${app.url}/documents/1`
    expect(await ask(url, { 'x-user': 'user:anne' })).toMatchObject({ status: 200, body: '{"ok":true}' })
    expect(app.handled()).toBe(1)
    expect(await ask(url)).toMatchObject({ status: 401, challenge: 'Bearer' })
    expect(await ask(url, { 'x-user': 'user:bob' })).toMatchObject({ status: 403, challenge: null })
    expect(await ask(`${app.url}/documents/2`, { 'x-user': 'user:anne' })).toMatchObject({ status: 403 })
    expect(app.handled()).toBe(1)
  })

  test('denied: 404 says no more than that there is nothing', async () => {
    await using app = await serve({ zanzibar, denied: 404 })
    const there = await ask(`${app.url}/documents/1`, { 'x-user': 'user:bob' })
    const nowhere = await ask(`${app.url}/documents/9`, { 'x-user': 'user:bob' })
    expect(there).toEqual(nowhere)
    expect(there.status).toBe(404)
    expect(there.body).not.toMatch(/forbidden|viewer|bob/i)
    expect(await ask(`${app.url}/documents/1`)).toMatchObject({ status: 401 })
    expect(app.handled()).toBe(0)
  })

  test.each(['%20', 'a%20b', 'a%3Ab', 'a%23viewer', '*', '%00', '__proto__', 'x'.repeat(99)])(
    'an id that comes from the path is any text: %j',
    async (id) => {
      await using app = await serve({ zanzibar })
      expect((await ask(`${app.url}/documents/${id}`, { 'x-user': 'user:anne' })).status).toBe(403)
      expect(app.handled()).toBe(0)
    },
  )

  test('an id that is longer than any object is denied, or refused by the framework before', async () => {
    await using app = await serve({ zanzibar })
    const { status } = await ask(`${app.url}/documents/${'x'.repeat(300)}`, { 'x-user': 'user:anne' })
    expect([403, 414]).toContain(status)
    expect(app.handled()).toBe(0)
  })

  test('conditions are given their parameters by the request', async () => {
    await using app = await serve({ zanzibar })
    const at = (now: string) => ask(`${app.url}/house`, { 'x-user': 'user:anne', 'x-now': now })
    expect((await at('2026-01-01T17:59:59Z')).status).toBe(200)
    expect((await at('2026-01-01T18:00:00Z')).status).toBe(403)
    expect(app.handled()).toBe(1)
  })

  test('Zanzibar-At-Least: the answer is as of that moment, and 400 for what is no token', async () => {
    await using app = await serve({ zanzibar })
    const url = `${app.url}/documents/seen`
    expect((await ask(url, { 'x-user': 'user:carl' })).status).toBe(403)
    const { token } = await zanzibar.write({ add: [['user:carl', 'viewer', 'document:seen']] })
    expect(await ask(url, { 'x-user': 'user:carl', 'zanzibar-at-least': token })).toMatchObject({
      status: 200,
    })
    await zanzibar.write({ remove: [['user:carl', 'viewer', 'document:seen']] })
    const forged = await ask(url, { 'x-user': 'user:carl', 'zanzibar-at-least': `${token}A` })
    expect(forged.status).toBe(400)
    expect(forged.body).toContain('Zanzibar-At-Least: the consistency token was changed')
    await using other = await openZanzibar({ model })
    const foreign = await other.write({ add: [['user:carl', 'viewer', 'document:seen']] })
    expect((await ask(url, { 'x-user': 'user:carl', 'zanzibar-at-least': foreign.token })).status).toBe(400)
    expect(app.handled()).toBe(1)
  })

  test('the token of the header is what the check is given', async () => {
    const given: unknown[] = []
    await using app = await serve({
      zanzibar: {
        check: async (...question) => {
          given.push(question)
          return true
        },
      },
    })
    await ask(`${app.url}/documents/7`, { 'x-user': 'user:anne', 'zanzibar-at-least': 'T' })
    await ask(`${app.url}/documents/7`, { 'x-user': 'user:anne' })
    expect(given).toEqual([
      ['user:anne', 'viewer', 'document:7', { atLeast: 'T' }],
      ['user:anne', 'viewer', 'document:7', {}],
    ])
  })

  test('what goes wrong is an error of the application, and nobody gets through', async () => {
    const check = async (): Promise<never> => {
      throw new ZanzibarError('internal_error', 'the store is away')
    }
    await using app = await serve({ zanzibar: { check } })
    expect((await ask(`${app.url}/documents/1`, { 'x-user': 'user:anne' })).status).toBe(500)
    // A parameter of the condition is missing.
    await using real = await serve({ zanzibar })
    expect((await ask(`${real.url}/house`, { 'x-user': 'user:anne' })).status).toBe(500)
    expect([app.handled(), real.handled()]).toEqual([0, 0])
  })
})
