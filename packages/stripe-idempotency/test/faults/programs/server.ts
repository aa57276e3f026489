import { createServer, type IncomingMessage } from 'node:http'
import { isIdempotencyError } from '@loadbearing/stripe-idempotency'
import { announce } from './announce.ts'
import { bankClient } from './bank-client.ts'
import { followClock } from './clock.ts'
import { ours } from './ours.ts'
import { following, point } from './points.ts'
import type { ServerSettings } from './settings.ts'
import { type Transfer, transferOf } from './transfer.ts'

followClock()
const settings: ServerSettings = JSON.parse(process.argv[2] ?? '')
const bank = bankClient(settings.bank)
const { carryOut, after } = await way()

/** How transfers are carried out, and what remains to be done once the answer has been sent. */
interface Way {
  readonly carryOut: (transfer: Transfer) => Promise<string>
  readonly after?: (transfer: Transfer, answer: string) => Promise<void>
}

const server = createServer((request, response) => {
  void following('request', async () => {
    const transfer = transferOf(await textOf(request))
    point('received')
    try {
      const answer = await carryOut(transfer)
      response.writeHead(200).end(answer)
      point('sent')
      await after?.(transfer, answer)
    } catch (error) {
      const code = isIdempotencyError(error) ? error.code : String(error)
      response.writeHead(code === 'in_use' || code === 'uncertain' ? 409 : 503).end(JSON.stringify({ code }))
    }
  }).catch(() => response.destroy())
})
announce(server, settings.port)

async function way(): Promise<Way> {
  const { variant, store, url, lease } = settings
  if (variant === 'ours') {
    switch (store) {
      case 'postgres':
        return { carryOut: ours((await import('./on-postgres.ts')).onPostgres(url, lease), bank, settings) }
      case 'sqlite':
        return { carryOut: ours((await import('./on-sqlite.ts')).onSqlite(url, lease), bank, settings) }
      case 'redis':
        return onRedisBy({})
      default:
        return store satisfies never
    }
  }
  if (variant === 'ours, handler run again') return onRedisBy({ rerun: 'safe' })
  if (variant === 'ours, claiming blindly') return onRedisBy({ claims: 'blindly' })
  if (store === 'redis') return { carryOut: (await import('./peers.ts')).peer(variant, settings, bank) }
  return (await import('./naive.ts')).naive(variant, settings, bank)
}

/** Transfers to the bank by an operation, to the savings by a handler. */
async function onRedisBy({
  rerun = 'never',
  claims = 'once',
}: {
  readonly rerun?: 'safe' | 'never'
  readonly claims?: 'blindly' | 'once'
}): Promise<Way> {
  const { onRedis } = await import('./on-redis.ts')
  const { handled } = await import('./handler.ts')
  const { savings, ...backing } = await onRedis(settings.url, settings.lease, claims)
  const byOperation = ours(backing, bank, settings)
  const byHandler = handled(backing.idempotency, savings, rerun)
  return { carryOut: (transfer) => (transfer.to === 'bank' ? byOperation : byHandler)(transfer) }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return text
}
