import { type Answer, exposedServer, openForDesk } from './exposed-server.ts'
import { holdOnToDesk } from './lifeline.ts'
import { isRecordsStart } from './messages.ts'

// The airline's records service, a process of its own: GET /delays?claims=7,42 answers how late these flights were.

holdOnToDesk()
process.once('message', (message: unknown) => {
  if (!isRecordsStart(message)) throw new TypeError('expected the records')
  const { delays, fortune, seed } = message
  const answer: Answer = async ({ method, url }) => {
    const [, list] = /^\/delays\?claims=([\d,]+)$/.exec(url ?? '') ?? []
    if (list === undefined) return { status: 404, body: { error: `no ${url}` } }
    if (method !== 'GET') return { status: 405, body: { error: `no ${method}` } }
    const found = list.split(',').map((claim) => delays[Number(claim)])
    if (found.includes(undefined)) return { status: 404, body: { error: 'there is no such flight' } }
    return { status: 200, body: { delays: found } }
  }
  openForDesk(exposedServer('records', fortune, seed, undefined, answer))
})
