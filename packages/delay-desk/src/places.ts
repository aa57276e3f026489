import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { postgres } from '@loadbearing/harness/services'
import { type BooksPlace } from './books.ts'
import type { Configuration } from './configuration.ts'
import { DeskError, reasonOf } from './errors.ts'
import { dropBooks, makeBooks } from './open-books.ts'

/** Connections to the server that all workers may have together. */
const CONNECTIONS = 60
/** Of Linux. */
const SHARED_MEMORY = '/dev/shm'

/** Where bank and desk keep what they must not lose. Disposing of it takes it away, if it is not to be kept. */
export interface Places extends AsyncDisposable {
  /** Of the bank's ledger. */
  readonly folder: string
  readonly books: BooksPlace
  /** As `BankStart` has it. */
  readonly takesAway: BooksPlace | null
}

/**
 * Makes a folder for the bank, and the desk's books.
 *
 * @throws DeskError `BOOKS_FAILED` where they cannot be made
 */
export async function openPlaces({
  store,
  keep,
  desk: { workers },
}: Pick<Configuration, 'store' | 'keep' | 'desk'>): Promise<Places> {
  await using resources = new AsyncDisposableStack()
  try {
    const folder = keep ?? mkdtempSync(join(baseOf(store), 'delay-desk-'))
    if (keep === null) resources.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
    else mkdirSync(folder)
    const books = await placeOf(store, folder, workers, resources)
    await makeBooks(books)
    if (keep === null) resources.defer(() => dropBooks(books))
    const held = resources.move()
    const takesAway = keep === null ? books : null
    return { folder, books, takesAway, [Symbol.asyncDispose]: () => held.disposeAsync() }
  } catch (error) {
    throw new DeskError('BOOKS_FAILED', `the desk's books cannot be made: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

/** Processes that are to outlive each other share files, in memory too: where the system has a folder for that. */
function baseOf({ kind }: Configuration['store']): string {
  return kind === 'memory' && existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir()
}

async function placeOf(
  store: Configuration['store'],
  folder: string,
  workers: number,
  resources: AsyncDisposableStack,
): Promise<BooksPlace> {
  if (store.kind !== 'postgres') {
    const synchronous = store.kind === 'memory' ? 'off' : store.synchronous
    return { kind: 'sqlite', file: join(folder, 'desk.sqlite'), synchronous }
  }
  const url = store.url ?? resources.use(await postgres()).url
  const connections = Math.max(1, Math.min(4, Math.floor(CONNECTIONS / workers)))
  return { kind: 'postgres', url, schema: `delay_desk_${process.pid}`, connections }
}
