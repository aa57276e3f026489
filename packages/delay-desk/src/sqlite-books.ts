import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type SqliteStore, sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import type { Booking, Books, BooksPlace } from './books.ts'

/** To wait for another process stops this one, its probes too; who is refused asks again. */
const BUSY_MS = 50

/** The desk's books in an SQLite file that its processes share. */
export class SqliteBooks implements Books<DatabaseSync> {
  readonly store: SqliteStore
  readonly #database: DatabaseSync
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #all: StatementSync

  constructor({ file, synchronous }: Extract<BooksPlace, { kind: 'sqlite' }>) {
    this.#database = new DatabaseSync(file, { timeout: 1000 })
    this.store = sqliteStore({ database: this.#database })
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS booking (
        claim    INTEGER PRIMARY KEY,
        amount   INTEGER NOT NULL CHECK (amount > 0),
        transfer TEXT
      ) STRICT;
      PRAGMA busy_timeout = ${BUSY_MS};
      PRAGMA synchronous = ${synchronous};
      PRAGMA wal_autocheckpoint = 10000`)
    this.#insert = this.#database.prepare('INSERT INTO booking VALUES (?, ?, NULL)')
    this.#update = this.#database.prepare('UPDATE booking SET transfer = ? WHERE claim = ?')
    this.#all = this.#database.prepare('SELECT claim, amount, transfer FROM booking ORDER BY claim')
  }

  async begin(_: DatabaseSync, claim: number, amount: number): Promise<void> {
    this.#insert.run(claim, amount)
  }

  async finish(_: DatabaseSync, claim: number, transfer: string): Promise<void> {
    this.#update.run(transfer, claim)
  }

  async bookings(): Promise<Booking[]> {
    return this.#all.all().map(({ claim, amount, transfer }) => ({
      claim: Number(claim),
      amount: Number(amount),
      transfer: transfer === null ? null : String(transfer),
    }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close()
  }
}
