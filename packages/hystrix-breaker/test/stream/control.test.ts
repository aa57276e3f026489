import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { controlEndpoint } from '../../src/adapters/stream.ts'
import { Breaker, InvalidOptionError, Registry } from '../../src/index.ts'
import { type Answer, ask, served } from './served.ts'

const token = 'sixteen-or-more-characters'

async function endpoint(): Promise<
  AsyncDisposable & { users: Breaker; post(query: string, given?: string, method?: string): Promise<Answer> }
> {
  const registry = new Registry()
  const users = new Breaker({ name: 'users' })
  registry.add(users)
  const server = await served(controlEndpoint(registry, { token }))
  return {
    users,
    post: (query, given = `Bearer ${token}`, method = 'POST') =>
      ask(`${server.url}/control${query}`, { method, headers: given === '' ? {} : { authorization: given } }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

describe('the control endpoint', () => {
  test('opens, closes and resets', async () => {
    await using control = await endpoint()
    for (const [action, state] of [
      ['open', 'forced-open'],
      ['close', 'forced-closed'],
      ['reset', 'closed'],
    ]) {
      const { status, headers, text } = await control.post(`?action=${action}&key=users`)
      expect(status).toBe(200)
      expect(headers['content-type']).toBe('application/json')
      expect(headers).not.toHaveProperty('access-control-allow-origin')
      expect(JSON.parse(text)).toEqual({ name: 'users', state })
      expect(control.users.state).toBe(state)
    }
  })

  test('does nothing without the token, or by another method', async () => {
    await using control = await endpoint()
    for (const given of [
      '',
      token,
      'Bearer ',
      `Bearer ${token.slice(0, -1)}`,
      `bearer ${token}`,
      `Bearer ${token}x`,
    ])
      expect((await control.post('?action=open&key=users', given)).status).toBe(401)
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])
      expect(await control.post('?action=open&key=users', undefined, method)).toMatchObject({
        status: 405,
        headers: { allow: 'POST' },
      })
    expect(control.users.state).toBe('closed')
  })

  test('says what it does not understand', async () => {
    await using control = await endpoint()
    for (const query of [
      '',
      '?',
      '?action=open',
      '?key=users',
      '?action=explode&key=users',
      '?action=__proto__&key=users',
    ])
      expect((await control.post(query)).status).toBe(400)
    for (const key of ['nobody', '__proto__', '', '%00', 'x'.repeat(5000)])
      expect(await control.post(`?action=open&key=${key}`)).toMatchObject({ status: 404 })
    expect(control.users.state).toBe('closed')
  })

  test('does not wait for a body', async () => {
    const registry = new Registry()
    registry.add(new Breaker({ name: 'users' }))
    await using server = await served(controlEndpoint(registry, { token }))
    const client = connect(server.port, '127.0.0.1')
    client.write(
      `POST /?action=open&key=users HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Length: 1000000\r\n\r\nabc`,
    )
    let text = ''
    for await (const piece of client) {
      text += String(piece)
      if (text.includes('forced-open')) break
    }
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    client.destroy()
  })

  test.each([
    [{}],
    [{ token: 'short' }],
    [{ token: 1234567890123456 }],
    [{ token: 'with spaces between' }],
    [{ token: 'ünprintable-in-a-header' }],
    [{ token, authorize: 1 }],
  ])('refuses %j', (options) => {
    expect(() => controlEndpoint(new Registry(), options as never)).toThrow(InvalidOptionError)
  })

  test('does not show a token that it refuses', () => {
    expect(() => controlEndpoint(new Registry(), { token: 'secret' })).toThrow(/^(?!.*secret).*$/)
  })
})
