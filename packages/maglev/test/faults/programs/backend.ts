import { randomInt } from 'node:crypto'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'

// A backend, a process of its own. `tcp`: tells its id in a line, then echoes. `http`: answers with its id, GET /slow in pieces
// until it is told to finish by a message, POST /echo with the body as it comes.

const [kind] = process.argv.slice(2)
const slow = new Set<ServerResponse>()
process.on('message', () => {
  for (const response of slow) response.end()
})

const server: Server = kind === 'http' ? http() : tcp()
server.on('listening', () => console.log(`listening ${idOf(server)}`))
server.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EADDRINUSE') throw error
  listen()
})
listen()

// On none of the ports that systems give away: once this process is killed, nobody answers in its place.
function listen(): void {
  server.listen(randomInt(10_000, 20_000), '127.0.0.1', 4096)
}

function idOf(listening: Server): string {
  return `127.0.0.1:${(listening.address() as AddressInfo).port}`
}

function tcp(): Server {
  return createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    socket.write(`${idOf(server)}\n`)
    socket.pipe(socket)
  })
}

function http(): Server {
  return createHttpServer((request, response) => {
    response.setHeader('x-backend', idOf(server))
    if (request.url === '/echo') {
      request.on('error', () => {}).pipe(response)
      return
    }
    request.resume()
    if (request.url !== '/slow') {
      response.end(idOf(server))
      return
    }
    response.write('piece\n')
    const write = setInterval(() => void (response.writableEnded || response.write('piece\n')), 100)
    slow.add(response)
    response.on('close', () => {
      clearInterval(write)
      slow.delete(response)
    })
  })
}
