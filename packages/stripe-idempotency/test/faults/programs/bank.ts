import { existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { seeded } from '../seeded.ts'
import { announce } from './announce.ts'
import type { BankSettings } from './settings.ts'

// A bank: it credits each key once for as long as it keeps keys, writes down what it hears and what it does before it
// answers, and answers badly: not at all, late, with an error after the fact.

const settings: BankSettings = JSON.parse(process.argv[2] ?? '')
const random = seeded(settings.seed)
/** By key: when it was first used, and the credit. */
const known = new Map<string, { readonly at: number; readonly credit: string }>()
if (existsSync(settings.log)) {
  for (const line of readFileSync(settings.log, 'utf8').split('\n')) {
    if (line === '') continue
    const entry: { kind: string; key: string; at: number; credit: string } = JSON.parse(line)
    if (entry.kind === 'credit') known.set(entry.key, entry)
  }
}
const log = openSync(settings.log, 'a')

const server = createServer((request, response) => {
  void (async () => {
    const url = new URL(request.url ?? '', 'http://bank')
    if (request.method === 'GET') {
      const key = url.searchParams.get('key') ?? ''
      const found = known.get(key)
      if (!settings.remembers && (found === undefined || !isKept(found))) {
        response.writeHead(410).end('{}')
        return
      }
      response
        .writeHead(found === undefined ? 404 : 200)
        .end(JSON.stringify({ credit: found?.credit ?? null }))
      return
    }
    const key = String(request.headers['idempotency-key'])
    const body: object = Object(JSON.parse(await textOf(request)))
    const mood = random() / settings.faults
    if (mood < 0.25) {
      request.socket.destroy()
      return
    }
    const credit = apply(key, body)
    if (mood < 0.5) {
      request.socket.destroy()
      return
    }
    const answer = (): void =>
      void response.writeHead(mood < 0.75 ? 500 : 200).end(JSON.stringify({ credit }))
    if (mood < 1) setTimeout(answer, settings.late)
    else answer()
  })().catch(() => request.socket.destroy())
})
announce(server, settings.port)

function apply(key: string, body: object): string {
  const at = Date.now()
  write({ kind: 'call', key, ...body, at })
  const before = known.get(key)
  if (before !== undefined && isKept(before)) return before.credit
  const credit = `credit_${known.size}_${Math.floor(random() * 1e9)}`
  write({ kind: 'credit', key, ...body, at, credit })
  known.set(key, { at, credit })
  return credit
}

function isKept({ at }: { readonly at: number }): boolean {
  return at + settings.retention > Date.now()
}

function write(entry: object): void {
  writeSync(log, `${JSON.stringify(entry)}\n`)
  fsyncSync(log)
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
