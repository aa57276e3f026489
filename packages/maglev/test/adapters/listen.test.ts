import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { listen } from '../../src/adapters/listen.ts'

test('a connection that cannot be accepted does not end the process', async () => {
  const server = createServer()
  await listen(server, { port: 0, host: '127.0.0.1' }, () => {})
  // So does node:net tell of it.
  expect(() => server.emit('error', new Error('accept ENOMEM'))).not.toThrow()
  expect(server.listening).toBe(true)
  await new Promise((closed) => server.close(closed))
})
