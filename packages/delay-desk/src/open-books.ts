import type { Books, BooksPlace } from './books.ts'

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
