import { Agent, IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { attempt } from '../../src/adapters/http-attempt.ts'
import { parseAddress } from '../../src/pool/address.ts'
import { TestBackend } from './backends.ts'

test('a backend that does not take the last of a body, all of which is written, is given up after the idle time', async () => {
  await using backend = await TestBackend.start((socket) => void socket.pause())
  const address = parseAddress(backend.id)
  if (address === undefined) throw new Error(`${backend.id} is no address`)
  // More in one piece than the kernel takes: the request is ended at once, and never finished.
  const body = new IncomingMessage(new Socket())
  body.push(Buffer.alloc(64 * 2 ** 20))
  body.push(null)
  body.complete = true
  const agent = new Agent()
  const result = await attempt({
    address,
    method: 'PUT',
    path: '/',
    headers: ['Host', 'a', 'Content-Length', String(64 * 2 ** 20)],
    body,
    agent,
    connectTimeout: 5_000,
    idleTimeout: 50,
    responseTimeout: 5_000,
    client: { giveUp: undefined },
    onInformation: () => {},
  })
  agent.destroy()
  expect(result).toMatchObject({ kind: 'failed', sent: true, error: { code: 'TIMED_OUT' } })
  expect(result).toHaveProperty('error.message', expect.stringContaining('not taken within 50 ms'))
})
