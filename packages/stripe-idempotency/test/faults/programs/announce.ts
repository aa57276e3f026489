import { randomInt } from 'node:crypto'
import type { Server } from 'node:http'

/**
 * Listens on loopback and says so on standard output: `listening <port>`. For 0 on one of the ports that systems do not
 * give away by themselves: killed and started again, it finds its port as it left it.
 */
export function announce(server: Server, port: number): void {
  const listen = (): unknown => server.listen(port === 0 ? randomInt(10_000, 20_000) : port, '127.0.0.1')
  server.on('error', (error: NodeJS.ErrnoException) => {
    if (port !== 0 || error.code !== 'EADDRINUSE') throw error
    listen()
  })
  server.on('listening', () => {
    const address: unknown = server.address()
    console.log(`listening ${Reflect.get(Object(address), 'port')}`)
  })
  listen()
}
