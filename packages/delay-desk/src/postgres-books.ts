import {
  type PostgresQuerier,
  type PostgresStore,
  postgresStore,
} from '@loadbearing/stripe-idempotency/postgres'
import pg from 'pg'
import type { Booking, Books, BooksPlace } from './books.ts'

type Place = Extract<BooksPlace, { kind: 'postgres' }>

/** The desk's books in a schema of PostgreSQL. */
export class PostgresBooks implements Books<PostgresQuerier> {
  readonly store: PostgresStore
  readonly #pool: pg.Pool
  readonly #table: string

  constructor({ url, schema, connections }: Place) {
    this.#pool = new pg.Pool({ connectionString: url, max: connections })
    // A connection that breaks while nobody uses it; the next query takes another one.
    this.#pool.on('error', () => {})
    this.store = postgresStore({ pool: this.#pool, table: `${schema}.idempotency_record` })
    this.#table = `${schema}.booking`
  }

  async begin(transaction: PostgresQuerier, claim: number, amount: number): Promise<void> {
    await transaction.query(`INSERT INTO ${this.#table} VALUES ($1, $2, NULL)`, [claim, amount])
  }

  async finish(transaction: PostgresQuerier, claim: number, transfer: string): Promise<void> {
    await transaction.query(`UPDATE ${this.#table} SET transfer = $1 WHERE claim = $2`, [transfer, claim])
  }

  async bookings(): Promise<Booking[]> {
    const { rows } = await this.#pool.query<Booking>(
      `SELECT claim, amount, transfer FROM ${this.#table} ORDER BY claim`,
    )
    return rows
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#pool.ended) await this.#pool.end()
  }

  /** Makes the tables, in a schema of their own. */
  async make(schema: string): Promise<void> {
    await this.#pool.query(`
      CREATE SCHEMA ${schema};
      CREATE TABLE ${this.#table} (
        claim    integer PRIMARY KEY,
        amount   integer NOT NULL CHECK (amount > 0),
        transfer text
      )`)
    await this.store.migrate()
  }
}

export async function makeBooks(place: Place): Promise<void> {
  await using books = new PostgresBooks(place)
  await books.make(place.schema)
}

/** Takes the books away. */
export async function dropBooks({ url, schema }: Pick<Place, 'url' | 'schema'>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  } finally {
    await client.end()
  }
}
