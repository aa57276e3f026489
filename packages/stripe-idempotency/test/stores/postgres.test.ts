import { postgres as postgresServer, type Service, skipWithout } from '@loadbearing/harness/services'
import { type PostgresClient, postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { Client, type Pool } from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe } from 'vitest'
import { openPool } from './pool.ts'
import { storeSuite } from './store-suite.ts'

const unavailable = skipWithout('postgres')

describe.skipIf(unavailable)('PostgreSQL', () => {
  let server: Service
  let pool: Pool
  let client: Client
  let sql: postgres.Sql

  beforeAll(async () => {
    server = await postgresServer()
    pool = openPool(server.url, 10)
    client = new Client({ connectionString: server.url })
    client.on('error', () => {})
    await client.connect()
    sql = postgres(server.url, { max: 10, onnotice: () => {} })
  }, 120_000)

  afterAll(async () => {
    await pool?.end()
    await client?.end()
    await sql?.end()
    await server?.stop()
  })

  const clients: readonly (readonly [string, () => PostgresClient])[] = [
    ['a Pool of pg', () => pool],
    ['a Client of pg', () => client],
    ['the sql of postgres', () => sql],
  ]
  for (const [name, clientOf] of clients) {
    storeSuite(
      name,
      async () => {
        let now = 0
        const store = postgresStore({ pool: clientOf(), table: 'suite_record', clock: { now: () => now } })
        await store.migrate()
        await pool.query('TRUNCATE suite_record')
        return {
          store,
          pass: (ms) => {
            now += ms
          },
          [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
        }
      },
      name === 'a Pool of pg' ? 60 : 20,
    )
  }
})
