import { DatabaseSync } from 'node:sqlite'
import { createIdempotency, type Idempotency, type TransactionalStore } from '@loadbearing/stripe-idempotency'
import { postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { Pool } from 'pg'
import { request, ride } from '../ride-operation.ts'

// `node holder.ts postgres|sqlite <url or path> transaction|phase <lease>`: has the key, in the middle of its work, for good.

const [kind, place = '', held, lease = ''] = process.argv.slice(2)
const never = new Promise<never>(() => {})

async function hold<Transaction>(idempotency: Idempotency<Transaction>): Promise<unknown> {
  if (held === 'transaction') {
    return idempotency.transaction(request, async () => {
      console.log('held')
      return never
    })
  }
  return ride(idempotency, () => {
    console.log('held')
    return never
  }).execute(request)
}

function opened<Transaction>(store: TransactionalStore<Transaction>): Idempotency<Transaction> {
  return createIdempotency<Transaction>({ store, lease: Number(lease) })
}

// A promise keeps no process alive.
setInterval(() => {}, 60_000)
await (kind === 'postgres'
  ? hold(opened(postgresStore({ pool: new Pool({ connectionString: place }), table: 'held_record' })))
  : hold(opened(sqliteStore({ database: new DatabaseSync(place), table: 'held_record' }))))
