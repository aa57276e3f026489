import type { QueryConfig } from 'pg'
import { openPostgresStore } from '../../src/adapters/postgres.ts'
import type { TupleStore } from '../../src/index.ts'
import { openTestStore } from './open-test-store.ts'

/** A store on PostgreSQL, and how often it was asked. */
export interface CountedStore extends AsyncDisposable {
  readonly store: TupleStore
  trips: number
}

/** On a pool that counts the statements, and the connections that are taken for more than one. */
export async function openCountedStore(): Promise<CountedStore> {
  await using stack = new AsyncDisposableStack()
  const { pool } = stack.use(await openTestStore('postgres'))
  if (pool === undefined) throw new TypeError('no pool')
  const count = { trips: 0 }
  const asked = {
    options: {},
    query: (statement: QueryConfig) => {
      count.trips++
      return pool.query(statement)
    },
    connect: () => {
      count.trips++
      return pool.connect()
    },
  }
  const store = stack.use(await openPostgresStore({ pool: asked }))
  const opened = stack.move()
  return Object.assign(count, { store, [Symbol.asyncDispose]: () => opened.disposeAsync() })
}
