import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { eventually, freePort, refusedPort, tcpProxy } from '../../src/faults/index.ts'

/** Whether one can be dialled or listened on, or how it is refused. */
async function outcome(happens: 'connect' | 'listening', port: number): Promise<unknown> {
  const end =
    happens === 'connect'
      ? connect(port, '127.0.0.1')
      : createServer().listen({ port, host: '127.0.0.1', exclusive: true })
  try {
    await once(end, happens)
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
  if ('destroy' in end) end.destroy()
  else end.close()
  await once(end, 'close')
  return happens
}

test('a refused port refuses, and nobody can listen there until it is let go', async () => {
  const refused = await refusedPort()
  expect(refused.address).toBe(`127.0.0.1:${refused.port}`)
  for (let asked = 0; asked < 3; asked++) {
    expect(await outcome('connect', refused.port)).toBe('ECONNREFUSED')
    expect(await outcome('listening', refused.port)).toBe('EADDRINUSE')
  }
  await refused[Symbol.asyncDispose]()
  // A machine that has much to do takes its time over the last packet, until which the port is in use.
  await eventually(async () => (await outcome('listening', refused.port)) === 'listening')
})

test('refused ports are each their own', async () => {
  await using one = await refusedPort()
  await using two = await refusedPort()
  expect(one.port).not.toBe(two.port)
})

// A listener gets one of some thousand ports by chance: of 10,000 most would have this one among them.
test('the port of a proxy that refuses is given to nobody, and is its own again', async () => {
  await using proxy = await tcpProxy({ target: '127.0.0.1:1' })
  proxy.refuse()
  const given = new Set<number>()
  for (let batch = 0; batch < 20; batch++) {
    const listeners = Array.from({ length: 500 }, () => createServer().listen(0, '127.0.0.1'))
    await Promise.all(listeners.map((listener) => once(listener, 'listening')))
    for (const listener of listeners) given.add((listener.address() as AddressInfo).port)
    for (const listener of listeners) listener.close()
    await Promise.all(listeners.map((listener) => once(listener, 'close')))
  }
  expect(given.size).toBeGreaterThan(1000)
  expect(given).not.toContain(proxy.port)
  expect(await outcome('connect', proxy.port)).toBe('ECONNREFUSED')
  await proxy.heal()
  expect(await outcome('connect', proxy.port)).toBe('connect')
})

test('free ports are each their own, also of those that ask at once', async () => {
  const ports = await Promise.all(Array.from({ length: 1000 }, () => freePort()))
  expect(new Set(ports).size).toBe(ports.length)
})

test('a free port refuses, can be listened on, and is none that systems give away', async () => {
  const port = await freePort()
  expect(await outcome('connect', port)).toBe('ECONNREFUSED')
  expect(await outcome('listening', port)).toBe('listening')
  const range = '/proc/sys/net/ipv4/ip_local_port_range'
  const given = existsSync(range) ? readFileSync(range, 'utf8').trim().split(/\s+/).map(Number) : [32_768]
  expect(port).toBeLessThan(given[0] ?? 0)
})
