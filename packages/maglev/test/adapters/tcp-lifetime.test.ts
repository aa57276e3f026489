import { once } from 'node:events'
import { connect } from 'node:net'
import { eventually } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import { createTcpProxy, type TcpProxyOptions } from '../../src/adapters/tcp-proxy.ts'
import { Maglev } from '../../src/index.ts'
import { echo, TestBackend } from './backends.ts'
import { errorOf, lineOf, running } from './tcp-stand.ts'

describe('limits and the end', () => {
  test('connections beyond the limit are dropped, and taken again once there is room', async () => {
    await using backend = await TestBackend.start(echo)
    await using proxied = await running([backend.id], { maxConnections: 1 })
    const first = proxied.dial()
    await lineOf(first)
    await once(proxied.dial().resume(), 'end')
    expect(proxied.proxy.stats()).toMatchObject({ open: 1, accepted: 1, dropped: 1 })
    first.destroy()
    await eventually(() => proxied.proxy.stats().open === 0)
    expect(await lineOf(proxied.dial())).toBe(backend.id)
  })

  test('close lets connections finish and takes no new ones', async () => {
    await using backend = await TestBackend.start(echo)
    await using proxied = await running([backend.id])
    const client = proxied.dial()
    await lineOf(client)
    const closed = proxied.proxy.close()
    expect(await errorOf(proxied.dial())).toBe('ECONNREFUSED')
    client.write('still served')
    expect(await lineOf(client)).toBe('still served')
    client.end()
    await closed
    expect(proxied.ends).toMatchObject([{ outcome: 'finished' }])
    await expect(proxied.proxy.listen({ port: 0 })).rejects.toMatchObject({ code: 'PROXY_CLOSED' })
  })

  test('close resets what is still open after the drain timeout', async () => {
    await using backend = await TestBackend.start(echo)
    await using proxied = await running([backend.id], { drainTimeout: 50 })
    const client = proxied.dial()
    await lineOf(client)
    const code = errorOf(client)
    await proxied.proxy.close()
    expect(await code).toBe('ECONNRESET')
    expect(proxied.ends).toMatchObject([{ outcome: 'closed' }])
    expect(proxied.balancer.active).toBe(0)
    await eventually(() => backend.sockets.size === 0)
  })

  test('a signal closes the proxy', async () => {
    await using backend = await TestBackend.start(echo)
    await using proxied = await running([backend.id])
    const stop = new AbortController()
    await using other = createTcpProxy(proxied.balancer)
    const { port } = await other.listen({ port: 0, host: '127.0.0.1', signal: stop.signal })
    stop.abort()
    expect(await errorOf(connect(port, '127.0.0.1'))).toBe('ECONNREFUSED')
    await expect(other.listen({ port: 0 })).rejects.toMatchObject({ code: 'PROXY_CLOSED' })
  })

  test('a port that is taken is the error of listen', async () => {
    await using backend = await TestBackend.start(echo)
    await using proxied = await running([backend.id])
    await using other = createTcpProxy(proxied.balancer)
    await expect(other.listen({ port: proxied.port, host: '127.0.0.1' })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
  })

  test('a backlog that is no count is refused', async () => {
    await using proxy = createTcpProxy(new Maglev(['127.0.0.1:1']))
    await expect(proxy.listen({ port: 0, host: '127.0.0.1', backlog: 0 })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('backlog'),
    })
  })

  test.each<[string, TcpProxyOptions]>([
    ['connectTimeout', { connectTimeout: 0 }],
    ['idleTimeout', { idleTimeout: 'soon' }],
    ['retries', { retries: -1 }],
    ['maxConnections', { maxConnections: 0.5 }],
    ['drainTimeout', { drainTimeout: Number.NaN }],
    ['acceptProxyProtocol', { acceptProxyProtocol: ['10.0.0.0/33'] }],
    ['acceptProxyProtocol', { acceptProxyProtocol: ['example.com'] }],
  ])('a wrong %s is refused when given', (name, options) => {
    expect(() => createTcpProxy(new Maglev(['a:1']), options)).toThrowError(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    )
  })
})
