import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect, type Socket } from 'node:net'
import { eventually, refusedPort } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import { ask, fields, HttpBackend, mirror, mirrored, raw, running } from './http-stand.ts'

describe('WebSockets', () => {
  const handshake =
    'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'

  /** Accepts a handshake, echoes what follows it. */
  async function chatBackend(): Promise<HttpBackend> {
    const backend = await HttpBackend.start(mirror)
    backend.server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => {})
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n${request.url} `,
      )
      socket.write(head)
      socket.pipe(socket)
    })
    return backend
  }

  test('the handshake is passed on, then bytes both ways, early ones included', async () => {
    await using backend = await chatBackend()
    await using proxied = await running([backend.id])
    const socket = connect(proxied.port, '127.0.0.1')
    let heard = ''
    socket.on('data', (chunk) => {
      heard += String(chunk)
    })
    socket.write(`${handshake}early `)
    await eventually(() => heard.endsWith('/chat early '))
    expect(heard).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(heard).toMatch(/\r\nSec-WebSocket-Accept: x\r\n/)
    expect(heard.match(/\r\nUpgrade: websocket\r\n/g)).toHaveLength(1)
    expect(proxied.proxy.stats()).toMatchObject({ tunnels: 1, active: 1 })
    expect(proxied.balancer.active).toBe(1)
    socket.write('late')
    await eventually(() => heard.endsWith('early late'))
    socket.end()
    await once(socket, 'close')
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'finished', status: 101, backend: backend.id }])
    expect(proxied.proxy.stats()).toMatchObject({ tunnels: 0, active: 0 })
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [[backend.id, 101]] })
  })

  test("Node's own WebSocket talks through it", async () => {
    await using backend = await HttpBackend.start(mirror)
    backend.server.on('upgrade', (request, socket) => {
      void (async () => {
        const { createHash } = await import('node:crypto')
        const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
        const accept = createHash('sha1').update(key).digest('base64')
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        )
        socket.write(Buffer.from([0x81, 2, 0x68, 0x69]))
        // Answers whatever comes, which is the closing frame, with one.
        socket.once('data', () => socket.end(Buffer.from([0x88, 2, 0x03, 0xe8])))
      })()
    })
    await using proxied = await running([backend.id])
    const client = new WebSocket(`ws://127.0.0.1:${proxied.port}/`)
    const [message] = await once(client, 'message')
    expect(message.data).toBe('hi')
    client.close(1000)
    await once(client, 'close')
    await eventually(() => proxied.proxy.stats().tunnels === 0)
  })

  test('a backend that declines answers as to any request', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id])
    const answer = await raw(proxied.port, handshake)
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer).toMatch(/\r\nConnection: close\r\n/)
    expect(answer).toContain('"url":"/chat"')
    expect(proxied.ends).toMatchObject([{ outcome: 'finished', status: 200 }])
  })

  test('where no backend is, a handshake is answered like a request', async () => {
    await using refused = await refusedPort()
    await using down = await running([refused.address])
    expect(await raw(down.port, handshake)).toMatch(/^HTTP\/1\.1 502 /)
    await using empty = await running([])
    expect(await raw(empty.port, handshake)).toMatch(/^HTTP\/1\.1 503 /)
    expect(empty.ends).toMatchObject([{ outcome: 'no-backend', status: 503 }])
  })

  test('an offer of another protocol is passed over and the request served, its body included', async () => {
    await using backend = await chatBackend()
    await using proxied = await running([backend.id])
    const agent = new Agent({ keepAlive: true })
    for (const body of ['body', '']) {
      const headers = {
        Connection: 'Upgrade, HTTP2-Settings',
        Upgrade: 'h2c',
        'HTTP2-Settings': 'AAMAAABkAAQAAP__',
      }
      const method = body === '' ? 'GET' : 'POST'
      const seen = mirrored(await ask(proxied.port, { method, headers, body, agent }))
      expect(seen).toMatchObject({ method, body })
      expect(fields(seen).map(([name]) => name)).not.toContain('upgrade')
      expect(fields(seen).map(([name]) => name)).not.toContain('http2-settings')
      expect(mirrored(await ask(proxied.port, { agent }))).toMatchObject({ method: 'GET', body: '' })
    }
    expect(proxied.proxy.stats()).toMatchObject({ ended: { finished: 4 } })
    agent.destroy()
  })

  test('what breaks one side resets the other', async () => {
    const sockets: Socket[] = []
    await using backend = await HttpBackend.start(mirror)
    backend.server.on('upgrade', (_, socket) => {
      sockets.push(socket as Socket)
      socket.on('error', () => {})
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    })
    await using proxied = await running([backend.id])
    const client = connect(proxied.port, '127.0.0.1')
    client.write(handshake)
    await once(client, 'data')
    const broken = once(client, 'end').catch((error) => error.code)
    sockets[0]?.resetAndDestroy()
    expect(await broken).toBe('ECONNRESET')
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'backend-abort' }])
  })
})
