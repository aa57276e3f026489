import { once } from 'node:events'
import { connect } from 'node:net'
import { eventually } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import { createTcpProxy } from '../../src/adapters/tcp-proxy.ts'
import { Maglev } from '../../src/index.ts'
import { echo, TestBackend } from './backends.ts'
import { lineOf, running, text } from './tcp-stand.ts'

test('each connection goes to the owner of its key, for good', async () => {
  await using one = await TestBackend.start(echo)
  await using two = await TestBackend.start(echo)
  await using three = await TestBackend.start(echo)
  const ids = [one.id, two.id, three.id]
  const maglev = new Maglev(ids)
  let connections = 0
  await using proxy = createTcpProxy(maglev, { key: () => `key ${connections++}` })
  const { port } = await proxy.listen({ port: 0, host: '127.0.0.1' })
  const reached: string[] = []
  for (let n = 0; n < 30; n++) {
    const client = connect(port, '127.0.0.1')
    reached.push(await lineOf(client))
    client.write('ping')
    expect(await lineOf(client)).toBe('ping')
    client.end()
    await once(client, 'close')
  }
  expect(reached).toEqual(Array.from({ length: 30 }, (_, n) => maglev.lookup(`key ${n}`)))
  expect(new Set(reached).size).toBe(3)
  expect(proxy.stats()).toMatchObject({ accepted: 30, ended: { finished: 30 } })
})

test('the source address is the default key, its port is not part of it', async () => {
  await using one = await TestBackend.start(echo)
  await using two = await TestBackend.start(echo)
  await using proxied = await running([one.id, two.id])
  const owner = new Maglev([one.id, two.id]).lookup('127.0.0.1')
  for (let n = 0; n < 5; n++) {
    const client = proxied.dial()
    expect(await lineOf(client)).toBe(owner)
    client.destroy()
  }
})

describe('both directions', () => {
  test('the end of one direction is passed on and the other one goes on', async () => {
    await using backend = await TestBackend.start((socket) => {
      void text(socket).then((request) => socket.end(`answer to ${request}`))
    })
    await using proxied = await running([backend.id])
    const client = proxied.dial()
    client.end('question')
    expect(await text(client)).toBe('answer to question')
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([
      { outcome: 'finished', backend: backend.id, received: 8, sent: 18, error: undefined },
    ])
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [[backend.id, 'ok']] })
  })

  test('a backend that ends first still hears the client', async () => {
    let heard = ''
    await using backend = await TestBackend.start((socket) => {
      socket.end('bye')
      socket.on('data', (chunk) => {
        heard += String(chunk)
      })
      socket.once('end', () => {
        heard += '.'
      })
    })
    await using proxied = await running([backend.id])
    const client = proxied.dial()
    expect(await text(client)).toBe('bye')
    client.write('still ')
    client.end('here')
    await eventually(() => heard === 'still here.')
    await eventually(() => proxied.proxy.stats().open === 0)
    expect(proxied.proxy.stats().ended.finished).toBe(1)
  })

  test('a client that does not read holds the backend back, and gets every byte later', async () => {
    const total = 64 * 2 ** 20
    let written = 0
    await using backend = await TestBackend.start((socket) => {
      const chunk = Buffer.alloc(2 ** 16, 'x')
      const write = (): void => {
        while (written < total) {
          written += chunk.length
          if (!socket.write(chunk)) return
        }
        socket.end()
      }
      socket.on('drain', write)
      write()
    })
    await using proxied = await running([backend.id])
    const client = proxied.dial().pause()
    let last = -1
    let still = 0
    await eventually(() => {
      still = written > 0 && written === last ? still + 1 : 0
      last = written
      return still === 20
    })
    // What the kernel buffers for two connections on loopback, and a little in the proxy, whose memory process.test.ts looks at.
    expect(written).toBeLessThan(24 * 2 ** 20)
    let read = 0
    client.on('data', (chunk) => {
      read += chunk.length
    })
    client.resume()
    await once(client, 'end')
    client.end()
    expect(read).toBe(total)
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends[0]).toMatchObject({ outcome: 'finished', sent: total })
  })
})
