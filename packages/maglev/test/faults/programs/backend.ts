import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'

// A backend, a process of its own. `tcp`: tells its id in a line, then echoes. `http`: answers with its id, GET /slow in pieces
// over two seconds, POST /echo with the body as it comes.

const [kind] = process.argv.slice(2)

const server: Server = kind === 'http' ? http() : tcp()
server.listen(0, '127.0.0.1', 4096, () => console.log(`listening ${idOf(server)}`))

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
    let pieces = 1
    response.write('piece\n')
    const write = setInterval(() => {
      response.write('piece\n')
      if (++pieces < 20) return
      clearInterval(write)
      response.end()
    }, 100)
    response.on('close', () => clearInterval(write))
  })
}
