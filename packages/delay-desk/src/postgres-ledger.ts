import pg from 'pg'
import { type Ledger, type Payment, PaymentConflict, type Receipt } from './ledger.ts'

/** A ledger in PostgreSQL, in a schema of its own that goes with it. */
export class PostgresLedger implements Ledger {
  readonly #pool: pg.Pool
  readonly #schema: string
  readonly #table: string

  private constructor(pool: pg.Pool, schema: string) {
    this.#pool = pool
    this.#schema = schema
    this.#table = `${schema}.payment`
  }

  /** @param url of the server: `postgres://user:password@host:port/database` */
  static async open(url: string): Promise<PostgresLedger> {
    const pool = new pg.Pool({ connectionString: url, max: 4 })
    // A connection that breaks while nobody uses it; the next query takes another one.
    pool.on('error', () => {})
    const ledger = new PostgresLedger(pool, `delay_desk_${process.pid}`)
    await pool.query(`
      DROP SCHEMA IF EXISTS ${ledger.#schema} CASCADE;
      CREATE SCHEMA ${ledger.#schema};
      CREATE TABLE ${ledger.#table} (
        claim  integer PRIMARY KEY,
        amount integer NOT NULL CHECK (amount > 0),
        worker text NOT NULL
      )`)
    return ledger
  }

  async pay(worker: string, payments: readonly Payment[]): Promise<Receipt> {
    const claims = payments.map(([claim]) => claim)
    const amounts = payments.map(([, amount]) => amount)
    const client = await this.#pool.connect()
    try {
      await client.query('BEGIN')
      // In the order of the claims, so that two orders of the same ones never wait for each other in a circle.
      const { rowCount } = await client.query(
        `INSERT INTO ${this.#table} SELECT claim, amount, $3 FROM unnest($1::integer[], $2::integer[]) AS asked (claim, amount)
         ORDER BY claim ON CONFLICT (claim) DO NOTHING`,
        [claims, amounts, worker],
      )
      const { rows } = await client.query<{ claim: number; before: number; amount: number }>(
        `SELECT claim, paid.amount AS before, asked.amount FROM ${this.#table} AS paid
         JOIN unnest($1::integer[], $2::integer[]) AS asked (claim, amount) USING (claim)
         WHERE paid.amount <> asked.amount ORDER BY claim LIMIT 1`,
        [claims, amounts],
      )
      const [conflict] = rows
      if (conflict !== undefined) throw new PaymentConflict(conflict.claim, conflict.before, conflict.amount)
      await client.query('COMMIT')
      const paid = rowCount ?? 0
      return { paid, replayed: payments.length - paid }
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {})
      throw error
    } finally {
      client.release()
    }
  }

  async payments(): Promise<Payment[]> {
    const { rows } = await this.#pool.query<[number, number]>({
      text: `SELECT claim, amount FROM ${this.#table} ORDER BY claim`,
      rowMode: 'array',
    })
    return rows
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#pool.ended) return
    await this.#pool.query(`DROP SCHEMA IF EXISTS ${this.#schema} CASCADE`)
    await this.#pool.end()
  }
}
