import { createIdempotency, type IdempotencyStore } from '@loadbearing/stripe-idempotency'
import { postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { redisStore } from '@loadbearing/stripe-idempotency/redis'
import { Redis } from 'ioredis'
import { Pool } from 'pg'

// `node waiter.ts <url of the store> <how many>`: for each key that it is sent, so many duplicates wait for its answer.

const [url = '', many = ''] = process.argv.slice(2)

async function open(): Promise<IdempotencyStore> {
  if (url.startsWith('redis')) return redisStore({ client: new Redis(url) })
  return postgresStore({ pool: new Pool({ connectionString: url, max: 10 }), table: 'wait_record' })
}

const store = await open()
let watching = 0
const { watch } = store
if (watch === undefined) throw new Error('this store tells nobody')
store.watch = (record, signal) => {
  watching++
  return watch.call(store, record, signal)
}
const idempotency = createIdempotency({ store })

process.on('message', (key) => {
  if (typeof key === 'string') waitFor(key)
})
console.log('ready')

function waitFor(key: string): void {
  watching = 0
  const request = { scope: 'acct_1', key: key, input: 1, wait: '20s' } as const
  const waiting = Array.from({ length: Number(many) }, () => idempotency.run(request, async () => 'twice'))
  const told = setInterval(() => {
    if (watching < waiting.length) return
    clearInterval(told)
    console.log(`waiting ${key}`)
  }, 5)
  void answered(key, waiting)
}

async function answered(
  key: string,
  waiting: readonly Promise<{ readonly value: string; readonly replayed: boolean }>[],
): Promise<void> {
  const runs = await Promise.all(waiting)
  const answers = runs.filter(({ value, replayed }) => value === 'once' && replayed).length
  console.log(`answered ${key} ${Date.now()} ${answers}`)
}
