import { Pool } from 'pg'
import { openPostgresStore } from '../../src/adapters/postgres.ts'
import { sqliteStore } from '../../src/adapters/sqlite.ts'
import type { TupleStore } from '../../src/store/tuple-store.ts'

/** A store and what it stands on. */
export interface OpenStore extends AsyncDisposable {
  readonly store: TupleStore
}

/** Opens the storage of an address: `postgres://…`, or the path of an SQLite database. */
export async function openStore(address: string): Promise<OpenStore> {
  if (!address.startsWith('postgres')) {
    const store = sqliteStore({ path: address, poll: 10 })
    return { store, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
  }
  const pool = new Pool({ connectionString: address, max: 20 })
  pool.on('error', () => {})
  const store = await openPostgresStore({ pool })
  return {
    store,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]()
      await pool.end()
    },
  }
}
