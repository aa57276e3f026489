import { type Answer, exposedServer, jsonReply, openForDesk } from './exposed-server.ts'
import { holdOnToDesk } from './lifeline.ts'
import { isRecordsStart } from './messages.ts'

// The airline's records service, a process of its own: GET /delays?claims=7,42 answers how late these flights were.

holdOnToDesk()
process.once('message', (message: unknown) => {
  if (!isRecordsStart(message)) throw new TypeError('expected the records')
  const { delays, fortune, seed } = message
  const answer: Answer = async ({ method, url }) => {
    const [, list] = /^\/delays\?claims=([\d,]+)$/.exec(url ?? '') ?? []
    if (list === undefined) return jsonReply(404, { error: `no ${url}` })
    if (method !== 'GET') return jsonReply(405, { error: `no ${method}` })
    const found = list.split(',').map((claim) => delays[Number(claim)])
    if (found.includes(undefined)) return jsonReply(404, { error: 'there is no such flight' })
    return jsonReply(200, { delays: found })
  }
  openForDesk(exposedServer('records', fortune, seed, () => false, answer))
})
