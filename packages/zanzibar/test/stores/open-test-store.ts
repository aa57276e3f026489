import { postgres } from '@loadbearing/harness/services'
import { Pool } from 'pg'
import { openPostgresStore } from '../../src/adapters/postgres.ts'
import { sqliteStore } from '../../src/adapters/sqlite.ts'
import { memoryStore, type TupleStore } from '../../src/index.ts'

export const storeKinds = ['memory', 'sqlite', 'postgres'] as const
export type StoreKind = (typeof storeKinds)[number]

/** A store of its own, and what it stands on. */
export interface OpenTestStore extends AsyncDisposable {
  readonly store: TupleStore
  /** What the store asks, in PostgreSQL. */
  readonly pool?: Pool
}

/** Opens an empty store: in memory, or in a database of its own of the harness's server. What was written need not survive. */
export async function openTestStore(kind: StoreKind): Promise<OpenTestStore> {
  if (kind === 'postgres') return await openDatabase()
  const store = kind === 'memory' ? memoryStore() : sqliteStore({ path: ':memory:' })
  return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

let databases = 0

async function openDatabase(): Promise<OpenTestStore> {
  const server = await postgres()
  const name = `zanzibar_${process.pid}_${++databases}`
  const admin = poolOf(server.url, 1)
  await admin.query(`CREATE DATABASE ${name}`)
  const url = new URL(server.url)
  url.pathname = name
  url.searchParams.set('options', '-c synchronous_commit=off')
  const pool = poolOf(url.href, 8)
  const store = await openPostgresStore({ pool })
  return {
    store,
    pool,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]()
      await pool.end()
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
      await admin.end()
      await server.stop()
    },
  }
}

function poolOf(connectionString: string, max: number): Pool {
  const pool = new Pool({ connectionString, max })
  pool.on('connect', (client) => client.on('error', () => {}))
  pool.on('error', () => {})
  return pool
}
