import { createServer, type Socket } from 'node:net'

// Ten backends in one process, for throughput: a short answer to each HTTP/1.1 request without a body, or, for a path that begins
// with /pour, bytes without end. So cheap that the proxy before them is what is measured.

const count = 10
const answer = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n${'x'.repeat(100)}`)
const chunk = Buffer.alloc(65_536, 'x')

const servers = Array.from({ length: count }, () =>
  createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {})
    let rest = ''
    socket.on('data', (data) => {
      const parts = (rest + data.toString('latin1')).split('\r\n\r\n')
      rest = parts.pop() ?? ''
      if (parts[0]?.startsWith('GET /pour') === true) pour(socket)
      else for (const _ of parts) socket.write(answer)
    })
  }),
)
const ports = await Promise.all(
  servers.map(async (server) => {
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', 4096, listening))
    const address = server.address()
    return typeof address === 'object' ? address?.port : undefined
  }),
)
console.log(`listening ${ports.join(' ')}`)

function pour(socket: Socket): void {
  const write = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  }
  socket.on('drain', write)
  socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000000000000\r\n\r\n')
  write()
}
