import { crashPoint } from '@loadbearing/harness/faults'
import { createIdempotency } from '@loadbearing/stripe-idempotency'
import { postgresOutbox, postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { Pool } from 'pg'

// `node drainer.ts <database url>`: delivers the jobs of the outbox into a table, which stands for a queue.

const [url = ''] = process.argv.slice(2)
const pool = new Pool({ connectionString: url, max: 3 })
pool.on('error', () => {})
const idempotency = createIdempotency({
  store: postgresStore({ pool, table: 'drain_record' }),
  outbox: postgresOutbox({ pool, table: 'drain_outbox' }),
})
idempotency.worker({
  drain: {
    batch: 10,
    every: 100,
    deliver: async (jobs) => {
      await pool.query('INSERT INTO queue (job) SELECT * FROM json_array_elements($1::json)', [
        JSON.stringify(jobs),
      ])
      crashPoint('delivered')
    },
  },
})
console.log('draining')
// A worker keeps no process alive.
setInterval(() => {}, 60_000)
