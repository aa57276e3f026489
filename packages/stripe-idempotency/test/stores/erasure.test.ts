import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { postgres as postgresServer, skipWithout } from '@loadbearing/harness/services'
import {
  createIdempotency,
  type Idempotency,
  type IdempotencyStore,
  isIdempotencyError,
} from '@loadbearing/stripe-idempotency'
import { postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { redisStore } from '@loadbearing/stripe-idempotency/redis'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { onRedis } from './on-redis.ts'
import { openPool } from './pool.ts'

const card = 'card-4242-of-a-person'

interface Erasure {
  readonly readableBefore: boolean
  readonly readableAfter: boolean
  /** Why the other record is uncertain, before and after. */
  readonly doubts: readonly (string | null | undefined)[]
  readonly retryWasTold: unknown
  readonly executed: number
  /** What was erased while it was at work: its caller's answer, whether the store has it, and what a retry is told. */
  readonly atWork: readonly unknown[]
}

const erased: Erasure = {
  readableBefore: true,
  readableAfter: false,
  doubts: ['attempt 2 failed, at a limit of 1', null],
  retryWasTold: 'response_unavailable',
  executed: 1,
  atWork: [
    `${card} was charged`,
    false,
    'response_unavailable',
    `${card} was charged`,
    false,
    'response_unavailable',
  ],
}

/** No secrets: what is stored is readable, until it is erased. */
async function eraseIn(store: IdempotencyStore, dump: () => Promise<string>): Promise<Erasure> {
  await using idempotency = createIdempotency({ store })
  let executed = 0
  const pay = idempotency
    .operation<{ card: string }>('pay')
    .call('charged', { retention: '1d', run: ({ input }) => `${input.card} charged ${++executed}` })
    .call('told', { retention: '1d', run: ({ prev }) => prev })
  const request = { scope: 'acct_1', key: 'k', input: { card } }
  await pay.execute(request)
  // Each attempt fails with what was asked for in the text of its error.
  const refused = idempotency.operation<{ card: string }>('refused').call('charged', {
    retention: '1d',
    run: ({ input }) => {
      throw new Error(`${input.card} was not reached`)
    },
  })
  await expect(refused.execute({ scope: 'acct_1', key: 'l', input: { card } })).rejects.toThrow(card)
  expect(await idempotency.complete({ attempts: 1, pickUpAfter: '1ms' })).toMatchObject([
    { outcome: 'uncertain', error: new Error(`${card} was not reached`) },
  ])
  const doubt = async (): Promise<string | null | undefined> =>
    (await store.list({ limit: 1, state: 'uncertain' })).map(({ why }) => why)[0]
  const doubts = [await doubt()]
  const readableBefore = (await dump()).includes(card)
  await store.erase({ scope: 'acct_1' })
  doubts.push(await doubt())
  const readableAfter = (await dump()).includes(card)
  const retryWasTold = await told(pay.execute(request))
  const atWork = await eraseAtWork(idempotency, store, dump)
  return { readableBefore, readableAfter, doubts, retryWasTold, executed, atWork }
}

async function eraseAtWork(
  idempotency: Idempotency,
  store: IdempotencyStore,
  dump: () => Promise<string>,
): Promise<readonly unknown[]> {
  const request = { scope: 'acct_2', key: 'k', input: {} }
  const charge = async (): Promise<string> => {
    expect(await store.erase({ scope: 'acct_2' })).toBeGreaterThan(0)
    return `${card} was charged`
  }
  const charged = idempotency
    .operation('charge-at-work')
    .call('charged', { retention: '1d', run: charge })
    .call('told', { retention: '1d', run: ({ prev }) => prev })
  const seen: unknown[] = []
  for (const ask of [
    () => idempotency.run(request, charge),
    () => charged.execute({ ...request, key: 'l' }),
  ]) {
    seen.push(await told(ask()), (await dump()).includes(card), await told(ask()))
  }
  return seen
}

/** The value, or the code of the error. */
async function told(call: Promise<{ readonly value: unknown }>): Promise<unknown> {
  try {
    return (await call).value
  } catch (error) {
    return isIdempotencyError(error) ? error.code : error
  }
}

test('what is erased is in no byte of the files of SQLite, and is not executed again', async () => {
  const home = mkdtempSync(join(tmpdir(), 'idempotency-erasure-'))
  const database = new DatabaseSync(join(home, 'records.db'))
  try {
    const dump = async (): Promise<string> =>
      readdirSync(home)
        .map((name) => readFileSync(join(home, name), 'latin1'))
        .join('')
    expect(await eraseIn(sqliteStore({ database }), dump)).toEqual(erased)
  } finally {
    database.close()
    rmSync(home, { recursive: true })
  }
})

describe.skipIf(skipWithout('postgres'))('on PostgreSQL', () => {
  test('what is erased is in no row, and is not executed again', async () => {
    await using server = await postgresServer()
    const pool = openPool(server.url, 2)
    try {
      const store = postgresStore({ pool, table: 'erased_record' })
      await store.migrate()
      await pool.query('TRUNCATE erased_record')
      const dump = async (): Promise<string> => {
        const { rows } = await pool.query(`SELECT encode(input, 'escape') || encode(journal, 'escape') ||
          coalesce(encode(response, 'escape'), '') || r::text AS text FROM erased_record AS r`)
        return rows.map(({ text }) => text).join('')
      }
      expect(await eraseIn(store, dump)).toEqual(erased)
    } finally {
      await pool.end()
    }
  })
})

onRedis('what is erased', (redisServer) => {
  test('is in no value, and is not executed again', async () => {
    await using server = await redisServer()
    const client = new Redis(server.url)
    try {
      await client.flushdb()
      const dump = async (): Promise<string> => {
        const keys = await client.keys('*')
        const values = await Promise.all(keys.map((key) => client.get(key)))
        return JSON.stringify(values)
      }
      expect(await eraseIn(await redisStore({ client }), dump)).toEqual(erased)
    } finally {
      client.disconnect()
    }
  })
})
