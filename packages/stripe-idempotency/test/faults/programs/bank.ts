import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { seeded } from '../seeded.ts'

// A bank: it credits each key once for as long as it keeps keys, writes down what it does before it answers, and answers
// badly: not at all, late, with an error after the fact. `node bank.ts <log> <seed> <retention ms> <late ms>`

const [path = '', seed = '1', retention = '600000', late = '1500'] = process.argv.slice(2)
const random = seeded(Number(seed) + process.pid)
const known = new Map<string, { at: number; credit: string }>()
if (existsSync(path)) {
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue
    const { key, at, credit }: { key: string; at: number; credit: string } = JSON.parse(line)
    known.set(key, { at, credit })
  }
}
const log = openSync(path, 'a')

createServer((request, response) => {
  void (async () => {
    const url = new URL(request.url ?? '', 'http://bank')
    if (request.method === 'GET') {
      const credit = known.get(url.searchParams.get('key') ?? '')?.credit
      response.writeHead(credit === undefined ? 404 : 200).end(JSON.stringify({ credit }))
      return
    }
    const key = String(request.headers['idempotency-key'])
    const body: unknown = JSON.parse(await textOf(request))
    const mood = random()
    if (mood < 0.08) {
      request.socket.destroy()
      return
    }
    const credit = apply(key, body)
    if (mood < 0.16) {
      request.socket.destroy()
      return
    }
    const answer = (): void =>
      void response.writeHead(mood < 0.24 ? 500 : 200).end(JSON.stringify({ credit }))
    if (mood < 0.3) setTimeout(answer, Number(late))
    else answer()
  })()
}).listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', function listening(this: { address(): unknown }) {
  const { port }: { port?: number } = Object(this.address())
  console.log(`listening ${port}`)
})

function apply(key: string, body: unknown): string {
  const before = known.get(key)
  if (before !== undefined && before.at + Number(retention) > Date.now()) return before.credit
  const credit = { at: Date.now(), credit: `credit_${known.size}_${Math.floor(random() * 1e9)}` }
  writeSync(log, `${JSON.stringify({ key, ...Object(body), ...credit })}\n`)
  fsyncSync(log)
  known.set(key, credit)
  return credit.credit
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}

process.on('exit', () => closeSync(log))
