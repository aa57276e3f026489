import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { expect, test } from 'vitest'
import { Maglev } from '../maglev.ts'
import { MaglevDispatcher } from './undici.ts'

// What it does with requests is in test/adapters/undici.test.ts.

/** Answers every request and keeps its connections for ever. */
async function patient(): Promise<{ id: string; server: Server; closed: Promise<unknown>[] }> {
  const closed: Promise<unknown>[] = []
  const server = createServer((socket) => {
    closed.push(once(socket, 'close'))
    socket.on('error', () => {})
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { id: `127.0.0.1:${(server.address() as AddressInfo).port}`, server, closed }
}

test('dispose closes the idle connections to every backend, which neither side would close by itself for minutes', async () => {
  const backends = await Promise.all([patient(), patient(), patient()])
  const maglev = new Maglev(backends.map(({ id }) => id))
  const dispatcher = new MaglevDispatcher(maglev, {
    key: ({ path }) => path,
    agent: { keepAliveTimeout: 600_000, keepAliveMaxTimeout: 600_000 },
  })
  const waiting = new Set(backends.map(({ id }) => id))
  for (let n = 0; waiting.size > 0; n++) {
    const path = `/${n}`
    const { body } = await dispatcher.request({ origin: 'http://service', path, method: 'GET' })
    await body.dump()
    waiting.delete(maglev.lookup(path) ?? '')
  }
  // It may open a second one while the first is busy.
  for (const { closed } of backends) expect(closed.length).toBeGreaterThan(0)
  await dispatcher[Symbol.asyncDispose]()
  await Promise.all(backends.flatMap(({ closed }) => closed))
  for (const { server } of backends) server.close()
})
