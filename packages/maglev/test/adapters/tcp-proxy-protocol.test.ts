import { once } from 'node:events'
import { type Socket } from 'node:net'
import { eventually } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import { formatProxyHeader, parseProxyHeader } from '../../src/adapters/tcp-proxy.ts'
import { TestBackend } from './backends.ts'
import { errorOf, running, text } from './tcp-stand.ts'

describe('PROXY protocol', () => {
  const source = { address: '203.0.113.7', port: 4711 }
  const destination = { address: '198.51.100.1', port: 443 }

  /** Answers with the source it was told of and all that follows. */
  const reveal = (socket: Socket): void => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.once('end', () => {
      const all = Buffer.concat(chunks)
      const { header, length } = parseProxyHeader(all) ?? { header: undefined, length: 0 }
      socket.end(
        JSON.stringify({
          version: header?.version,
          source: header?.source,
          rest: String(all.subarray(length)),
        }),
      )
    })
  }

  for (const [incoming, outgoing] of [
    [1, 2],
    [2, 1],
  ] as const) {
    test(`version ${incoming} in, byte by byte, version ${outgoing} out, the key is the announced source`, async () => {
      await using backend = await TestBackend.start(reveal)
      const keys: unknown[] = []
      await using proxied = await running([backend.id], {
        acceptProxyProtocol: ['10.0.0.0/8', '127.0.0.1'],
        sendProxyProtocol: outgoing,
        key: ({ source: { address } }) => {
          keys.push(address)
          return address
        },
      })
      const client = proxied.dial().setNoDelay(true)
      const bytes = Buffer.concat([formatProxyHeader(incoming, source, destination), Buffer.from('hello')])
      for (const byte of bytes) {
        await new Promise((resolve) => client.write(Buffer.from([byte]), resolve))
      }
      client.end()
      expect(JSON.parse(await text(client))).toEqual({ version: outgoing, source, rest: 'hello' })
      expect(keys).toEqual([source.address])
    })
  }

  test('without a header the backend is told of the peer', async () => {
    await using backend = await TestBackend.start(reveal)
    await using proxied = await running([backend.id], { sendProxyProtocol: 1 })
    const client = proxied.dial()
    await once(client, 'connect')
    const port = client.localPort
    client.end('hello')
    expect(JSON.parse(await text(client))).toEqual({
      version: 1,
      source: { address: '127.0.0.1', port },
      rest: 'hello',
    })
  })

  test('a peer that is not trusted cannot choose its address: its header is payload', async () => {
    await using backend = await TestBackend.start(reveal)
    const keys: unknown[] = []
    await using proxied = await running([backend.id], {
      acceptProxyProtocol: ['192.0.2.0/24'],
      sendProxyProtocol: 2,
      key: ({ source: { address } }) => {
        keys.push(address)
        return address
      },
    })
    const client = proxied.dial()
    const forged = formatProxyHeader(1, source, destination)
    client.end(forged)
    expect(JSON.parse(await text(client))).toMatchObject({
      source: { address: '127.0.0.1' },
      rest: String(forged),
    })
    expect(keys).toEqual(['127.0.0.1'])
  })

  test.each([
    ['no header', 'GET / HTTP/1.1\r\n\r\n'],
    ['half a header', 'PROXY TCP4 1.2.3.4'],
    ['a wrong one', 'PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n'],
  ])('%s from a trusted peer closes the connection and reaches no backend', async (_, bytes) => {
    await using backend = await TestBackend.start(reveal)
    await using proxied = await running([backend.id], { acceptProxyProtocol: true })
    const client = proxied.dial()
    client.end(bytes)
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'refused', error: { code: 'PROXY_HEADER_INVALID' } }])
    expect(proxied.balancer.acquired).toEqual([])
  })

  test('a header that never comes is waited for no longer than connectTimeout', async () => {
    await using backend = await TestBackend.start(reveal)
    await using proxied = await running([backend.id], { acceptProxyProtocol: true, connectTimeout: 50 })
    const code = await errorOf(proxied.dial())
    expect(code).toBe('ECONNRESET')
    expect(proxied.ends).toMatchObject([{ outcome: 'refused', error: { message: /within 50 ms/ } }])
  })
})
