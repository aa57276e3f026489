import { connect, createServer } from 'node:net'

// The least that a TCP proxy in Node can do: the backends in turn, a pipe each way. `bare-pipe.ts <host:port>…`

const ports = process.argv.slice(2).map((address) => Number(address.split(':').at(-1)))
let next = 0
const server = createServer({ noDelay: true }, (client) => {
  const backend = connect({ port: ports[next++ % ports.length] ?? 0, host: '127.0.0.1', noDelay: true })
  client.on('error', () => backend.destroy()).pipe(backend)
  backend.on('error', () => client.destroy()).pipe(client)
})
server.listen(0, '127.0.0.1', 4096, () => {
  const address = server.address()
  console.log(`listening ${typeof address === 'object' ? address?.port : ''}`)
})
