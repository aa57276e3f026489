import type { Prepared } from '@loadbearing/harness/bench'
import { createIdempotency, type IdempotencyStore } from '@loadbearing/stripe-idempotency'
import { postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { redisStore } from '@loadbearing/stripe-idempotency/redis'
import { Redis } from 'ioredis'
import { Pool, type PoolClient } from 'pg'
import { querierOf } from '../src/adapters/postgres/client.ts'
import { statement, statementsFor } from '../src/adapters/postgres/statements.ts'
import { charged, keyOf, payment } from './payment.ts'

type Subject = Prepared<number, Promise<string>>

/** Where the server is, how many clients are at work at once, and how many requests each of them makes in a call. */
interface Server {
  readonly url: string
  readonly atOnce: number
  readonly each: number
}

const answer = Buffer.from(JSON.stringify(charged))
const fingerprint = Buffer.alloc(32, 7)

/**
 * The throughput of clients that make one request after the other, none of which waits for another client's. Each request has a
 * new key, in each process another series.
 */
function clients({ atOnce, each }: Server, once: (key: string) => Promise<unknown>): Subject {
  let next = process.pid * 10_000_000
  const client = async (): Promise<void> => {
    for (let made = 0; made < each; made++) await once(keyOf(next++))
  }
  return {
    async call() {
      await Promise.all(Array.from({ length: atOnce }, client))
      return `${atOnce * each} done`
    },
  }
}

async function bank({ url, atOnce }: Server): Promise<Pool> {
  const pool = new Pool({ connectionString: url, max: atOnce })
  await postgresStore({ pool, table: 'bench_record' }).migrate()
  await pool.query(`SELECT pg_advisory_lock(1);
    CREATE TABLE IF NOT EXISTS account (id int PRIMARY KEY, balance bigint NOT NULL);
    CREATE TABLE IF NOT EXISTS ledger (id bigserial PRIMARY KEY, account int NOT NULL, amount int NOT NULL, key text NOT NULL);
    CREATE TABLE IF NOT EXISTS naive_key (key text PRIMARY KEY, response bytea);
    INSERT INTO account SELECT n, 0 FROM generate_series(0, 9999) AS n ON CONFLICT DO NOTHING;
    SELECT pg_advisory_unlock(1)`)
  return pool
}

/** The business rows: a balance and a line of the ledger. */
async function pay(client: Pick<PoolClient, 'query'>, key: string): Promise<typeof charged> {
  const account = Number(key.slice(-4))
  await client.query({
    name: 'debit',
    text: 'UPDATE account SET balance = balance - $2 WHERE id = $1',
    values: [account, payment.amount],
  })
  await client.query({
    name: 'ledger',
    text: 'INSERT INTO ledger (account, amount, key) VALUES ($1, $2, $3)',
    values: [account, payment.amount, key],
  })
  return charged
}

async function inOwnTransaction(pool: Pool, work: (client: PoolClient) => Promise<unknown>): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await work(client)
    await client.query('COMMIT')
  } finally {
    client.release()
  }
}

export async function postgresBare(server: Server): Promise<Subject> {
  const pool = await bank(server)
  return clients(server, (key) => inOwnTransaction(pool, (client) => pay(client, key)))
}

export async function postgresOurs(server: Server): Promise<Subject> {
  const pool = await bank(server)
  const idempotency = createIdempotency({ store: postgresStore({ pool, table: 'bench_record' }) })
  return clients(server, (key) =>
    idempotency.transaction({ scope: 'acct_1', key, input: payment }, (tx) => {
      // What the pool gave out is what comes back.
      return pay(tx as PoolClient, key)
    }),
  )
}

/** The statements of ours in the same round trips, with nothing around them: what is left where this package took no time. */
export async function postgresStatements(server: Server): Promise<Subject> {
  const table = 'bench_statements'
  const pool = await bank(server)
  await postgresStore({ pool, table }).migrate()
  const { lock, seek, put } = statementsFor(table)
  return clients(server, async (key) => {
    const client = await pool.connect()
    try {
      const { together } = querierOf(client, true)
      await together([
        [statement('BEGIN'), []],
        [lock, [null, `acct_1\u0001${key}`]],
        [seek, ['acct_1', key]],
      ])
      await pay(client, key)
      const now = Date.now()
      const times = [now + 60_000, now, now + 86_400_000]
      await together([
        [put, ['acct_1', key, key, '', fingerprint, 'completed', key, ...times, null, null, answer]],
        [statement('COMMIT'), []],
      ])
    } finally {
      client.release()
    }
  })
}

/** The least that a key takes which is committed with its payment: one row of two columns, which tells a duplicate from a new one only then. */
export async function postgresKeyAlone(server: Server): Promise<Subject> {
  const pool = await bank(server)
  const insert = statement('INSERT INTO naive_key (key, response) VALUES ($1, $2)')
  return clients(server, async (key) => {
    const client = await pool.connect()
    try {
      const { together } = querierOf(client, true)
      await together([[statement('BEGIN'), []]])
      await pay(client, key)
      await together([
        [insert, [key, answer]],
        [statement('COMMIT'), []],
      ])
    } finally {
      client.release()
    }
  })
}

/** A key that is claimed, a payment, an answer that is kept: each committed by itself. */
export async function postgresThreeCommits(server: Server): Promise<Subject> {
  const pool = await bank(server)
  return clients(server, async (key) => {
    const claimed = await pool.query({
      name: 'claim',
      text: 'INSERT INTO naive_key (key) VALUES ($1) ON CONFLICT DO NOTHING',
      values: [key],
    })
    if (claimed.rowCount !== 1) throw new Error(`${key} is new`)
    await inOwnTransaction(pool, (client) => pay(client, key))
    await pool.query({
      name: 'complete',
      text: 'UPDATE naive_key SET response = $2 WHERE key = $1',
      values: [key, answer],
    })
  })
}

/** A lock and an answer, neither of which knows its holder. */
export async function redisNaive(server: Server): Promise<Subject> {
  const client = new Redis(server.url)
  return clients(server, async (key) => {
    const claimed = await client.set(`naive:${key}`, 'in progress', 'PX', 86_400_000, 'NX')
    if (claimed !== 'OK') throw new Error(`${key} is new`)
    await client.set(`naive:${key}`, answer, 'PX', 86_400_000)
  })
}

const fencedSet = `if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`

/** The least that a fence takes on Redis 7, request by request: a lock that knows its holder, and a script that looks at it before it writes. */
export async function redisCommands(server: Server): Promise<Subject> {
  const client = new Redis(server.url)
  const sha = String(await client.script('LOAD', fencedSet))
  return clients(server, async (key) => {
    if ((await client.call('SET', [`fenced:${key}`, key, 'NX', 'GET'])) !== null)
      throw new Error(`${key} is new`)
    const kept = Buffer.concat([Buffer.from(key), answer])
    if ((await client.call('EVALSHA', [sha, 1, `fenced:${key}`, key, kept, 86_400_000])) !== 1)
      throw new Error(`${key} is held`)
  })
}

/** The store alone: a claim and a completion that only the holder can make. */
export async function redisFenced(server: Server): Promise<Subject> {
  const store: IdempotencyStore = await redisStore({ client: new Redis(server.url) })
  return clients(server, async (key) => {
    const request = {
      scope: 'acct_1',
      key,
      endpoint: 'POST /v1/charges',
      fingerprint,
      id: key,
      owner: key,
      lease: 60_000,
      ttl: 86_400_000,
      onAbandoned: 'uncertain' as const,
      operation: null,
    }
    const { claimed, record } = await store.claim(request)
    if (!claimed || !(await store.complete(record, answer))) throw new Error(`${key} is new`)
  })
}

export async function redisOurs(server: Server): Promise<Subject> {
  const idempotency = createIdempotency({ store: await redisStore({ client: new Redis(server.url) }) })
  return clients(server, (key) =>
    idempotency.run({ scope: 'acct_1', key, input: payment }, async () => charged),
  )
}
