import { Agent, type RequestListener } from 'node:http'
import { eventually } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import { createHttpProxy } from '../../src/adapters/http-proxy.ts'
import { createPool, Maglev } from '../../src/index.ts'
import { collidingValues } from '../model/xxh64-collisions.ts'
import { ask, HttpBackend, running } from './http-stand.ts'

describe('routing', () => {
  test('by header, by function and by source address, each request to the owner of its key', async () => {
    const tell: RequestListener = (request, response) => {
      response.end(`127.0.0.1:${request.socket.localPort}`)
    }
    await using one = await HttpBackend.start(tell)
    await using two = await HttpBackend.start(tell)
    await using three = await HttpBackend.start(tell)
    const ids = [one.id, two.id, three.id]
    const maglev = new Maglev(ids)
    await using byFunction = await running(ids, { key: ({ path }) => path })
    await using byHeader = await running(ids, { key: [{ header: 'x-user' }] })
    await using bySource = await running(ids)
    const agent = new Agent({ keepAlive: true })
    const users = new Map<string, string>()
    for (let n = 0; n < 20; n++) {
      const path = `/${n}`
      expect((await ask(byFunction.port, { path, agent })).body).toBe(maglev.lookup(path))
      const user = `user ${n % 5}`
      const { body } = await ask(byHeader.port, { path, headers: { 'X-User': user }, agent })
      expect(body).toBe(users.get(user) ?? body)
      users.set(user, body)
      expect((await ask(bySource.port, { path, agent })).body).toBe(maglev.lookup('127.0.0.1'))
    }
    agent.destroy()
    expect(byFunction.proxy.stats()).toMatchObject({ accepted: 1, ended: { finished: 20 } })
    expect(byFunction.balancer).toMatchObject({ active: 0 })
    expect(byFunction.balancer.reports.every(([, result]) => result === 200)).toBe(true)
  })

  test('a cookie policy gives the client a cookie that leads back to the same backend', async () => {
    const tell: RequestListener = (request, response) => {
      response.end(`127.0.0.1:${request.socket.localPort}`)
    }
    await using one = await HttpBackend.start(tell)
    await using two = await HttpBackend.start(tell)
    await using proxied = await running([one.id, two.id], { key: [{ cookie: 'session', ttl: '1h' }] })
    const first = await ask(proxied.port)
    const [cookie = ''] = first.headers['set-cookie'] ?? []
    expect(cookie).toMatch(/^session="?[0-9a-f]+"?;/)
    for (let n = 0; n < 5; n++) {
      const again = await ask(proxied.port, { headers: { Cookie: cookie.split(';')[0] ?? '' } })
      expect(again.headers['set-cookie']).toBeUndefined()
      expect(again.body).toBe(first.body)
    }
  })

  test.each([
    ['without a secret they all meet at one backend', {}, 1],
    ['with one they spread', { secret: '3f9c1ad04be27786520f1e9d8c6ba453' }, 3],
  ])('values crafted for one XXH64: %s', async (_, options, reached) => {
    const tell: RequestListener = (request, response) => {
      response.end(`127.0.0.1:${request.socket.localPort}`)
    }
    await using one = await HttpBackend.start(tell)
    await using two = await HttpBackend.start(tell)
    await using three = await HttpBackend.start(tell)
    const maglev = new Maglev([one.id, two.id, three.id], options)
    const crafted = collidingValues(3)
    // As a pool, as a table, and as what stands between a proxy and a pool.
    const pool = createPool(maglev)
    for (const balancer of [pool, maglev, { maglev, acquire: pool.acquire.bind(pool) }]) {
      await using proxy = createHttpProxy(balancer, { key: [{ header: 'x-user' }] })
      const { port } = await proxy.listen({ port: 0, host: '127.0.0.1' })
      const agent = new Agent({ keepAlive: true })
      const seen = new Set<string>()
      for (const user of crafted) {
        seen.add((await ask(port, { headers: { 'x-user': user }, agent })).body)
      }
      agent.destroy()
      expect(seen.size).toBe(reached)
    }
    await pool[Symbol.asyncDispose]()
  })

  test('without a key requests spread', async () => {
    const tell: RequestListener = (request, response) => {
      response.end(`127.0.0.1:${request.socket.localPort}`)
    }
    await using one = await HttpBackend.start(tell)
    await using two = await HttpBackend.start(tell)
    await using proxied = await running([one.id, two.id], { key: [{ header: 'x-user' }] })
    const seen = new Set<string>()
    await eventually(async () => seen.add((await ask(proxied.port)).body).size === 2)
    expect(seen).toEqual(new Set([one.id, two.id]))
  })
})
