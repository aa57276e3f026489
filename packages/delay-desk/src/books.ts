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

/** Opens books that were made, for `use`, whatever their transactions are. */
export async function openBooks<Result>(
  place: BooksPlace,
  use: <Transaction>(books: Books<Transaction>) => Result,
): Promise<Result> {
  // Loaded when asked for: a worker needs one of the two.
  if (place.kind === 'postgres') {
    const { PostgresBooks } = await import('./postgres-books.ts')
    return use(new PostgresBooks(place))
  }
  const { SqliteBooks } = await import('./sqlite-books.ts')
  return use(new SqliteBooks(place))
}

/** Makes them, empty. */
export async function makeBooks(place: BooksPlace): Promise<void> {
  if (place.kind === 'postgres') {
    const { makeBooks: make } = await import('./postgres-books.ts')
    await make(place)
  } else {
    const { SqliteBooks } = await import('./sqlite-books.ts')
    await new SqliteBooks(place)[Symbol.asyncDispose]()
  }
}

/** Takes them away; those in a file go with its folder. */
export async function dropBooks(place: BooksPlace): Promise<void> {
  if (place.kind === 'sqlite') return
  const { dropBooks: drop } = await import('./postgres-books.ts')
  await drop(place)
}
