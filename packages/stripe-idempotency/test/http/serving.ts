import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { eventually } from '@loadbearing/harness/faults'
import type { Served } from './application.ts'

export function servedBy(listener: (...each: Parameters<RequestListener>) => unknown): Promise<Served> {
  return listening(
    createServer((request, response) => void listener(request, response)).listen(0, '127.0.0.1'),
  )
}

export async function listening(server: Server): Promise<Served> {
  if (!server.listening) await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    deserted: () =>
      eventually(async () => {
        const { promise, resolve } = Promise.withResolvers<number>()
        server.getConnections((_, count) => resolve(count))
        return (await promise) === 0
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
