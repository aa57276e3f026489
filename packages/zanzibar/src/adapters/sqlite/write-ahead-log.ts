import type { DatabaseSync } from 'node:sqlite'
import { ZanzibarError } from '../../errors.ts'

/** How long a statement waits for other connections, in milliseconds. */
const busyTimeoutMs = 5000

// SQLITE_BUSY and SQLITE_LOCKED, whatever their extended code. (sqlite.org/rescode.html)
const busyCodes: ReadonlySet<number> = new Set([5, 6])

/** What SQLite threw; where another connection was writing for longer than that, `Aborted`. */
export function orAborted(error: unknown): unknown {
  if (!isBusy(error)) return error
  const message = 'transactional write failed due to conflict: another process held the database'
  return new ZanzibarError('Aborted', message, { cause: error })
}

/** Another connection is writing. */
function isBusy(error: unknown): boolean {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'errcode') : undefined
  return typeof code === 'number' && busyCodes.has(code & 0xff)
}

/**
 * Sets `busy_timeout` and `journal_mode = WAL`. SQLite heeds no `busy_timeout` where a file of another mode becomes WAL: of
 * two connections that open a new file at once, one would fail. It asks again here, for as long.
 *
 * @throws what SQLite throws
 */
export function keepWriteAheadLog(database: DatabaseSync): void {
  database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
  const until = performance.now() + busyTimeoutMs
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error
      Atomics.wait(nobody, 0, 0, 1)
    }
  }
}
