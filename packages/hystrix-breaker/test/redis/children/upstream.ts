import { createServer, type ServerResponse } from 'node:http'

// Answers, or holds every answer back until told; counts what it was asked.
const [port = '0', mode = 'answer'] = process.argv.slice(2)
const held = new Set<ServerResponse>()
let holding = mode === 'hold'
let requests = 0

const server = createServer((_, response) => {
  requests++
  if (holding) held.add(response)
  else response.end('ok')
})
process.on('message', (message) => {
  if (message === 'release') {
    holding = false
    for (const response of held) response.end('ok')
    held.clear()
  } else if (message === 'count') process.send?.({ requests })
})
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') console.log(`listening on ${address.port}`)
})
