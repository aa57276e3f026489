import { eventually, refusedPort } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import { Maglev } from '../../src/index.ts'
import { DeafBackend, echo, TestBackend } from './backends.ts'
import { errorOf, lineOf, running, text } from './tcp-stand.ts'

describe('broken connections', () => {
  test('a reset by the client reaches the backend as one', async () => {
    let code: string | undefined
    await using backend = await TestBackend.start((socket, id) => {
      socket.resume().write(`${id}\n`)
      socket.once('error', (error: NodeJS.ErrnoException) => {
        code = error.code
      })
    })
    await using proxied = await running([backend.id])
    const client = proxied.dial()
    await lineOf(client)
    client.resetAndDestroy()
    await eventually(() => code === 'ECONNRESET')
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends[0]).toMatchObject({ outcome: 'client-reset' })
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [[backend.id, 'ok']] })
  })

  test('a reset by the backend in the middle is a reset for the client, never an end', async () => {
    await using backend = await TestBackend.start((socket) => {
      socket.write('half of')
      socket.once('data', () => socket.resetAndDestroy())
    })
    await using proxied = await running([backend.id])
    const client = proxied.dial()
    await lineOf(client)
    let ended = false
    client.once('end', () => {
      ended = true
    })
    const code = errorOf(client)
    client.write('go on')
    expect(await code).toBe('ECONNRESET')
    expect(ended).toBe(false)
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends[0]).toMatchObject({ outcome: 'backend-reset', backend: backend.id })
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [[backend.id, 'failure']] })
  })

  test('a connection without traffic is reset after the idle time, one with traffic one way is not', async () => {
    let seen = 0
    let busy: NodeJS.Timeout | undefined
    await using backend = await TestBackend.start((socket, id) => {
      socket.write(`${id}\n`)
      socket.on('data', () => seen++)
    })
    await using proxied = await running([backend.id], { idleTimeout: 2500 })
    const talker = proxied.dial()
    const silent = proxied.dial()
    await Promise.all([lineOf(talker), lineOf(silent)])
    busy = setInterval(() => talker.write('.'), 25)
    const code = await errorOf(silent)
    await eventually(() => seen >= 30 && proxied.ends.length > 0)
    clearInterval(busy)
    expect(code).toBe('ECONNRESET')
    expect(talker.destroyed).toBe(false)
    expect(proxied.ends).toMatchObject([{ outcome: 'idle' }])
    talker.destroy()
  })
})

describe('backends that cannot be reached', () => {
  test('the next distinct owner gets the connection, before any byte was sent', async () => {
    await using backend = await TestBackend.start(echo)
    await using first = await refusedPort()
    await using second = await refusedPort()
    const dead = [first.address, second.address]
    const ids = [...dead, backend.id]
    await using proxied = await running(ids, { key: () => 'key' })
    const retries: string[] = []
    proxied.proxy.on('retry', ({ backend: id }) => retries.push(id))
    const client = proxied.dial()
    client.write('early ')
    await eventually(() => proxied.proxy.stats().sent > 0)
    client.end('late')
    expect(await text(client)).toBe(`${backend.id}\nearly late`)
    const order = new Map(ids.map((id) => [id, true]))
    expect(retries.every((id) => order.delete(id))).toBe(true)
    expect(retries).toEqual(proxied.balancer.acquired.filter((id) => id !== backend.id))
    await eventually(() => proxied.balancer.active === 0)
    expect(proxied.balancer.reports.filter(([, result]) => result === 'gateway-failure')).toHaveLength(
      retries.length,
    )
  })

  test('one that does not answer costs the connect timeout', async () => {
    await using deaf = await DeafBackend.start()
    await using backend = await TestBackend.start(echo)
    const maglev = new Maglev([deaf.id, backend.id])
    const key = Array.from({ length: 100 }, (_, n) => `key ${n}`).find(
      (one) => maglev.lookup(one) === deaf.id,
    )
    await using proxied = await running([deaf.id, backend.id], {
      key: () => key ?? '',
      connectTimeout: 700,
    })
    const client = proxied.dial()
    expect(await lineOf(client)).toBe(backend.id)
    expect(proxied.balancer.reports).toEqual([[deaf.id, 'gateway-failure']])
    expect(proxied.proxy.stats().retries).toBe(1)
    client.destroy()
  })

  test('a client that leaves meanwhile is not held against the backend', async () => {
    await using deaf = await DeafBackend.start()
    await using proxied = await running([deaf.id])
    const client = proxied.dial()
    await eventually(() => proxied.balancer.active === 1)
    client.resetAndDestroy()
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'client-reset', backend: undefined }])
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [] })
  })

  test('where none can be reached, or none is there, the client is reset', async () => {
    await using first = await refusedPort()
    await using second = await refusedPort()
    await using unreachable = await running([first.address, second.address], { retries: 5 })
    expect(await errorOf(unreachable.dial())).toBe('ECONNRESET')
    await eventually(() => unreachable.ends.length === 1)
    expect(unreachable.ends).toMatchObject([
      { outcome: 'unreachable', error: { code: 'BACKEND_UNREACHABLE', cause: { code: 'ECONNREFUSED' } } },
    ])
    expect(unreachable.proxy.stats().retries).toBe(2)
    expect(unreachable.balancer.active).toBe(0)

    await using empty = await running([])
    expect(await errorOf(empty.dial())).toBe('ECONNRESET')
    await eventually(() => empty.ends.length === 1)
    expect(empty.ends).toMatchObject([{ outcome: 'no-backend', error: { code: 'NO_BACKEND' } }])
  })
})
