import { DatabaseSync, type StatementSync } from 'node:sqlite'

/** A claim and the euros paid for it. */
export type Payment = readonly [claim: number, amount: number]

/** What became of payments that were asked for. */
export interface Receipt {
  /** Payments made now. */
  readonly paid: number
  /** Payments that had been made before, with the same amount. */
  readonly replayed: number
}

/** The claim was paid before, with another amount. */
export class PaymentConflict extends Error {}

/**
 * The bank's ledger: one row for each payment, the claim its unique key.
 *
 * A committed payment survives the death of the process (not of the machine: `synchronous` is `NORMAL`).
 */
export class Ledger implements Disposable {
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

  /** Makes all of the payments that were not made before, or, by throwing, none. */
  pay(worker: string, payments: readonly Payment[]): Receipt {
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

  /** Every payment made, by claim. */
  payments(): Payment[] {
    return this.#all.all() as unknown as Payment[]
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }

  #replay(claim: number, amount: number): void {
    const before = this.#find.get(claim)?.['amount']
    if (before === amount) return
    throw new PaymentConflict(`claim ${claim} was paid ${String(before)}, now ${amount} is asked`)
  }
}
