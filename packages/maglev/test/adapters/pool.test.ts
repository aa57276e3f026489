import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { eventually } from '@loadbearing/harness/faults'
import { expect, test } from 'vitest'
import { createHttpProxy } from '../../src/adapters/http-proxy.ts'
import { createTcpProxy } from '../../src/adapters/tcp-proxy.ts'
import { createPool, Maglev } from '../../src/index.ts'
import { echo, portOf, TestBackend } from './backends.ts'

const lineOf = async (socket: Socket): Promise<string> => String((await once(socket, 'data'))[0]).trimEnd()

test('a draining backend keeps its connections, takes no new ones, and is drained when they are over', async () => {
  await using one = await TestBackend.start(echo)
  await using two = await TestBackend.start(echo)
  await using pool = createPool(new Maglev([one.id, two.id]))
  let n = 0
  await using proxy = createTcpProxy(pool, { key: () => `key ${n++}` })
  const { port } = await proxy.listen({ port: 0, host: '127.0.0.1' })
  const open: [string, Socket][] = []
  while (new Set(open.map(([id]) => id)).size < 2) {
    const socket = connect(port, '127.0.0.1')
    open.push([await lineOf(socket), socket])
  }
  let drained = false
  const done = pool.drain(one.id).then(() => {
    drained = true
    return drained
  })
  for (let more = 0; more < 20; more++) {
    const socket = connect(port, '127.0.0.1')
    expect(await lineOf(socket)).toBe(two.id)
    socket.destroy()
  }
  const own = open.filter(([id]) => id === one.id).map(([, socket]) => socket)
  for (const socket of own) {
    socket.write('still there')
    expect(await lineOf(socket)).toBe('still there')
  }
  expect(drained).toBe(false)
  for (const socket of own) socket.end()
  expect(await done).toBe(true)
  for (const [, socket] of open) socket.destroy()
  await eventually(() => pool.stats().active === 0)
})

test('a backend that answers 5xx is ejected and its keys go elsewhere, those of others stay', async () => {
  const servers = Array.from({ length: 3 }, (_, index) =>
    createServer((_request, response) => {
      response.writeHead(index === 0 ? 500 : 200)
      response.end(String(index))
    }),
  )
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening')
  const ids = servers.map((server) => `127.0.0.1:${portOf(server)}`)
  {
    await using pool = createPool(new Maglev(ids), { outlier: true })
    await using proxy = createHttpProxy(pool, { key: ({ path }) => path })
    const { port } = await proxy.listen({ port: 0, host: '127.0.0.1' })
    const ask = async (n: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/${n}`)).text()
    const owners: string[] = []
    // Ports decide who owns what: go on until the bad one has had enough requests, whatever its luck.
    while (owners.length < 30 || owners.filter((owner) => owner === '0').length < 8) {
      owners.push(String(ids.indexOf(pool.maglev.lookup(`/${owners.length}`) ?? '')))
    }
    const keys = [...owners.keys()]
    const ejected = new Promise<string>((resolve) => {
      pool.on('ejected', ({ id }) => resolve(id))
    })
    for (const n of keys) await ask(n)
    expect(await ejected).toBe(ids[0])
    await pool.settled()
    const answers = await Promise.all(keys.map(ask))
    expect(answers).not.toContain('0')
    expect(answers.filter((answer, n) => owners[n] !== '0' && answer !== owners[n])).toEqual([])
    expect(pool.stats().active).toBe(0)
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve))
})
