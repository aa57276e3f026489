import { Agent, createServer, request } from 'node:http'

// The least that an HTTP proxy on node:http can do: the backends in turn, connections kept, nothing checked. `bare-http.ts <host:port>…`

const ports = process.argv.slice(2).map((address) => Number(address.split(':').at(-1)))
const agent = new Agent({ keepAlive: true })
let next = 0
const server = createServer((incoming, response) => {
  const { method, url: path, headers } = incoming
  const port = ports[next++ % ports.length] ?? 0
  const outgoing = request({ port, host: '127.0.0.1', method, path, headers, agent }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
    answer.pipe(response)
  })
  outgoing.on('error', () => response.destroy())
  incoming.pipe(outgoing)
})
server.listen(0, '127.0.0.1', 4096, () => {
  const address = server.address()
  console.log(`listening ${typeof address === 'object' ? address?.port : ''}`)
})
