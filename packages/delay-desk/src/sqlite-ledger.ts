import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Ledger, type Payment, PaymentConflict, type Receipt } from './ledger.ts'

/** A ledger in SQLite. A committed payment survives the death of the process (not of the machine: `synchronous` is `NORMAL`). */
export class SqliteLedger implements Ledger {
  readonly #database: DatabaseSync
  readonly #insert: StatementSync
  readonly #find: StatementSync
  readonly #all: StatementSync

  /** @param path of the database; `:memory:` for none on disk */
  constructor(path: string) {
    this.#database = new DatabaseSync(path)
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      CREATE TABLE payment (
        claim  INTEGER PRIMARY KEY,
        amount INTEGER NOT NULL CHECK (amount > 0),
        worker TEXT NOT NULL
      ) STRICT`)
    this.#insert = this.#database.prepare(
      'INSERT INTO payment VALUES (?, ?, ?) ON CONFLICT (claim) DO NOTHING',
    )
    this.#find = this.#database.prepare('SELECT amount FROM payment WHERE claim = ?')
    this.#all = this.#database.prepare('SELECT claim, amount FROM payment ORDER BY claim')
    this.#all.setReturnArrays(true)
  }

  async pay(worker: string, payments: readonly Payment[]): Promise<Receipt> {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      let paid = 0
      for (const [claim, amount] of payments) {
        if (this.#insert.run(claim, amount, worker).changes === 1) paid++
        else this.#replay(claim, amount)
      }
      this.#database.exec('COMMIT')
      return { paid, replayed: payments.length - paid }
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }

  async payments(): Promise<Payment[]> {
    return this.#all.all() as unknown as Payment[]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close()
  }

  #replay(claim: number, amount: number): void {
    const before = this.#find.get(claim)?.['amount']
    if (before !== amount) throw new PaymentConflict(claim, before, amount)
  }
}
