import type { TransactionalStore } from '@loadbearing/stripe-idempotency'

/** Where the desk's books are. */
export type BooksPlace =
  | { readonly kind: 'sqlite'; readonly file: string; readonly synchronous: 'off' | 'normal' | 'full' }
  | {
      readonly kind: 'postgres'
      readonly url: string
      readonly schema: string
      /** Connections for each process. */
      readonly connections: number
    }

/** A claim in the books: as being paid, or as paid by a transfer of the bank. */
export interface Booking {
  readonly claim: number
  readonly amount: number
  /** The bank's id; null: being paid. */
  readonly transfer: string | null
}

/** The desk's books, in one database with the records of its idempotency keys. */
export interface Books<Transaction> extends AsyncDisposable {
  readonly store: TransactionalStore<Transaction>
  /** Writes down that a claim is being paid. It is there once: a second booking of the claim fails. */
  begin(transaction: Transaction, claim: number, amount: number): Promise<void>
  /** Writes down by which transfer it was paid. */
  finish(transaction: Transaction, claim: number, transfer: string): Promise<void>
  /** By claim. */
  bookings(): Promise<Booking[]>
}
