import { DatabaseSync } from 'node:sqlite'
import { createIdempotency, type IdempotencyStore, notApplied } from '@loadbearing/stripe-idempotency'
import { postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { redisStore } from '@loadbearing/stripe-idempotency/redis'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { Redis } from 'ioredis'
import { Pool } from 'pg'

// The module of a user: an idempotency and its operations, on the store of IDEMPOTENCY_STORE.

const url = process.env['IDEMPOTENCY_STORE'] ?? ''

async function open(): Promise<IdempotencyStore> {
  if (url.startsWith('postgres')) return postgresStore({ pool: new Pool({ connectionString: url }) })
  if (url.startsWith('redis')) return redisStore({ client: new Redis(url) })
  return sqliteStore({ database: new DatabaseSync(url.slice('sqlite:'.length)) })
}

const bankIsDown = process.env['BANK'] === 'down'

/** A bank that can say what became of a call, and that loses nothing. */
export const idempotency = createIdempotency({
  store: await open(),
  secrets: [{ id: '2026', value: 's3cret-of-at-least-16-bytes' }],
})

const call = async (): Promise<string> => {
  if (bankIsDown) throw Object.assign(new Error('the bank is down'), { code: 'ECONNREFUSED' })
  return 'ch_1'
}

export const charge = idempotency
  .operation<number>('charge')
  .call('charged', { retention: '24h', run: call })
  .call('told', { retention: '24h', run: async ({ prev }) => `told of ${prev}` })

export const once = idempotency.operation<number>('once').call('charged', {
  retention: 0,
  run: call,
  ...(process.env['BANK'] === 'asked' && { reconcile: () => notApplied() }),
})
