import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { nats, type Service, skipWithout } from '../../src/services/index.ts'
import { isAlive } from './living.ts'

/** Sends requests, one after the other, in the client protocol of NATS, and gives their replies. */
async function request(service: Service, asked: [subject: string, payload: string][]): Promise<unknown[]> {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  const replies: unknown[] = []
  const send = ([subject, payload]: [string, string]): void => {
    socket.write(`PUB ${subject} inbox ${Buffer.byteLength(payload)}\r\n${payload}\r\n`)
  }
  socket.write('CONNECT {"verbose":false}\r\nSUB inbox 1\r\n')
  const [first, ...rest] = asked
  if (first !== undefined) send(first)
  let text = ''
  for await (const data of socket) {
    text += String(data)
    for (
      let reply = /MSG inbox 1 +\d+\r\n(.*)\r\n/.exec(text);
      reply;
      reply = /MSG inbox 1 +\d+\r\n(.*)\r\n/.exec(text)
    ) {
      text = text.slice(reply.index + reply[0].length)
      replies.push(JSON.parse(reply[1] ?? ''))
      const next = rest.shift()
      if (next === undefined) return replies
      send(next)
    }
  }
  throw new Error(`the connection ended after ${replies.length} replies`)
}

describe.skipIf(skipWithout('nats'))('nats()', () => {
  beforeEach(() => {
    vi.stubEnv('LOADBEARING_NATS_URL', undefined)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  test('every message that JetStream acknowledged survives kill -9; a reset forgets all', async () => {
    const service = await nats()
    const again = await nats()
    expect(again.pid, 'starting is idempotent').toBe(service.pid)
    await again.stop()
    const stream = JSON.stringify({ name: 'ORDERS', subjects: ['orders'], storage: 'file' })
    await request(service, [['$JS.API.STREAM.CREATE.ORDERS', stream]])
    const acks = await request(
      service,
      Array.from({ length: 100 }, (_, n) => ['orders', `order ${n}`]),
    )
    expect(acks.at(-1)).toEqual({ stream: 'ORDERS', seq: 100 })
    await service.kill()
    await service.restart()
    const [info] = await request(service, [['$JS.API.STREAM.INFO.ORDERS', '']])
    expect(info).toMatchObject({ state: { messages: 100, last_seq: 100 } })
    await service.reset()
    const [names] = await request(service, [['$JS.API.STREAM.NAMES', '']])
    expect(names).toMatchObject({ total: 0 })
    const { pid } = service
    await service.stop()
    expect(isAlive(pid)).toBe(false)
  })
})
