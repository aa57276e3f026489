import { createServer, type IncomingMessage } from 'node:http'
import { crashPoint } from '@loadbearing/harness/faults'
import { isIdempotencyError } from '@loadbearing/stripe-idempotency'
import { Pool } from 'pg'
import { type Defect, naive } from './naive.ts'
import { ours } from './ours.ts'
import { effectsAt, type Transfer } from './transfer.ts'

// `node server.ts <database url> <bank url> <lease ms> <variant>`

const [database = '', bank = '', lease = '700', variant = 'ours'] = process.argv.slice(2)
const pool = new Pool({
  connectionString: database,
  max: 8,
  connectionTimeoutMillis: 2000,
  query_timeout: 3000,
})
pool.on('error', () => {})
const effects = effectsAt(bank)
const { carryOut, after } = await make()

createServer((request, response) => {
  void (async () => {
    const transfer = await transferOf(request)
    try {
      const answer = await carryOut(transfer)
      response.writeHead(200).end(answer)
      crashPoint('sent')
      await after(transfer, answer)
    } catch (error) {
      const code = isIdempotencyError(error) ? error.code : String(error)
      response.writeHead(code === 'in_use' || code === 'uncertain' ? 409 : 503).end(JSON.stringify({ code }))
    }
  })().catch(() => response.destroy())
}).listen(Number(process.env['PORT'] ?? 0), '127.0.0.1', function listening(this: { address(): unknown }) {
  const { port }: { port?: number } = Object(this.address())
  console.log(`listening ${port}`)
})

async function make(): Promise<{
  carryOut: (transfer: Transfer) => Promise<string>
  after: (transfer: Transfer, answer: string) => Promise<void>
}> {
  if (variant === 'ours') return { carryOut: await ours(pool, effects, Number(lease)), after: async () => {} }
  return naive(pool, effects, Number(lease), defectOf(variant))
}

function defectOf(text: string): Defect {
  for (const each of [
    'get-then-set',
    'no-fence',
    'send-before-store',
    'lease-as-ttl',
    'delete-on-error',
  ] as const)
    if (each === text) return each
  throw new Error(`there is no variant ${text}`)
}

async function transferOf(request: IncomingMessage): Promise<Transfer> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  const { tenant, key, amount }: Record<string, unknown> = Object(JSON.parse(text))
  return { tenant: String(tenant), key: String(key), amount: Number(amount) }
}
