import { DatabaseSync } from 'node:sqlite'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { storeSuite } from './store-suite.ts'

storeSuite(
  'a store in SQLite',
  async () => {
    let now = 0
    const database = new DatabaseSync(':memory:')
    const clock = { now: () => now, monotonic: () => now, setTimeout: () => 0, clearTimeout: () => {} }
    return {
      store: sqliteStore({ database, clock }),
      pass: (ms) => {
        now += ms
      },
      [Symbol.asyncDispose]: async () => database.close(),
    }
  },
  300,
)
