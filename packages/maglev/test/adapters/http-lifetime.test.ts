import { Agent, request as httpRequest } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createHttpProxy, type HttpProxyOptions } from '../../src/adapters/http-proxy.ts'
import { Maglev } from '../../src/index.ts'
import { ask, bodyOf, HttpBackend, mirror, responseTo, running } from './http-stand.ts'

describe('limits and the end', () => {
  test('close lets a response finish, and its connection ends with it', async () => {
    let finish = (): void => {}
    await using backend = await HttpBackend.start((_, response) => {
      response.write('first ')
      finish = () => response.end('last')
    })
    await using proxied = await running([backend.id])
    const agent = new Agent({ keepAlive: true })
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', agent }).end()
    const response = await responseTo(request)
    const closed = proxied.proxy.close()
    await expect(ask(proxied.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    finish()
    expect(await bodyOf(response)).toBe('first last')
    await closed
    agent.destroy()
    await expect(proxied.proxy.listen({ port: 0 })).rejects.toMatchObject({ code: 'PROXY_CLOSED' })
  })

  test('close resets what does not finish in time', async () => {
    await using backend = await HttpBackend.start((_, response) => void response.write('first'))
    await using proxied = await running([backend.id], { drainTimeout: 50 })
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', agent: false }).end()
    const response = await responseTo(request)
    const broken = bodyOf(response).catch((error: unknown) => error)
    await proxied.proxy.close()
    expect(await broken).toMatchObject({ code: 'ECONNRESET' })
    expect(proxied.balancer.active).toBe(0)
  })

  test('connections beyond the limit are dropped', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id], { maxConnections: 1 })
    const agent = new Agent({ keepAlive: true })
    await ask(proxied.port, { agent })
    await expect(ask(proxied.port)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(proxied.proxy.stats()).toMatchObject({ open: 1, dropped: 1 })
    agent.destroy()
  })

  test('a key function that throws is 500 for that request alone', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id], {
      key: ({ path }) => {
        if (path === '/bad') throw new Error('no key for that')
        return path
      },
    })
    expect((await ask(proxied.port, { path: '/bad' })).status).toBe(500)
    expect((await ask(proxied.port, { path: '/good' })).status).toBe(200)
    expect(proxied.ends[0]).toMatchObject({ outcome: 'refused', error: { message: 'no key for that' } })
  })

  test.each<[string, HttpProxyOptions]>([
    ['timeout', { timeout: 0 }],
    ['headersTimeout', { headersTimeout: 'x' }],
    ['retries', { retries: 1.5 }],
    ['via', { via: 'a b' }],
    ['trustForwarded', { trustForwarded: ['everyone'] }],
    ['policies', { key: [] }],
  ])('a wrong %s is refused when given', (name, options) => {
    expect(() => createHttpProxy(new Maglev(['a:1']), options)).toThrowError(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    )
  })
})
