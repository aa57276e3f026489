import type { Server } from 'node:http'

/** Listens on loopback and says so on standard output: `listening <port>`. */
export function announce(server: Server, port: number): void {
  server.listen(port, '127.0.0.1', () => {
    const address: unknown = server.address()
    console.log(`listening ${Reflect.get(Object(address), 'port')}`)
  })
}
