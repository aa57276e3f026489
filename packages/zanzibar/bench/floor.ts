// What HTTP alone costs: a server of `node:http` that reads the request and answers what it was told to, whatever it is asked.

import { createServer } from 'node:http'

let answer = '{}'
const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (chunk: string) => {
    body += chunk
  })
  request.on('end', () => {
    if (request.method === 'PUT') answer = body
    response.setHeader('Content-Type', 'application/json')
    response.setHeader('Content-Length', Buffer.byteLength(answer))
    response.end(answer)
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`)
})
// Ends with who started it.
process.once('disconnect', () => process.exit())
