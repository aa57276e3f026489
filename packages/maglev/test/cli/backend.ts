import { randomInt } from 'node:crypto'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'

/**
 * `node backend.ts http|tcp`: says its port on standard output. HTTP answers with its port, `/hold` only once somebody has asked
 * for `/release`; TCP greets with its port and echoes.
 */
const [kind] = process.argv.slice(2)
let release = (): void => {}
const held = new Promise<void>((resolve) => {
  release = resolve
})

const server =
  kind === 'tcp'
    ? createTcpServer((socket) => {
        socket.on('error', () => {})
        socket.write(`${port()}\n`)
        socket.pipe(socket)
      })
    : createServer((request, response) => {
        const answer = (): unknown => response.end(String(port()))
        if (request.url === '/release') release()
        if (request.url !== '/hold') {
          answer()
          return
        }
        console.log('holding')
        void held.then(answer)
      })

function port(): number {
  return (server.address() as AddressInfo).port
}

// On none of the ports that systems give away: once this process is killed, nobody answers in its place.
function listen(): void {
  server.listen(randomInt(10_000, 20_000), '127.0.0.1')
}

server.on('listening', () => console.log(`port ${port()}`))
server.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EADDRINUSE') throw error
  listen()
})
listen()
