import { ZanzibarError } from '../../errors.ts'
import type { Row } from '../rows.ts'

/** A statement; one with a name is prepared once for each connection. */
export interface Statement {
  readonly name?: string
  readonly text: string
  readonly values?: unknown[]
}

/** What runs statements. */
export interface PostgresQuerier {
  query(statement: Statement): Promise<{ readonly rows: readonly unknown[] }>
}

/** What is used of a connection out of a `Pool` of `pg`. */
export interface PostgresConnection extends PostgresQuerier {
  release(broken?: boolean): void
  on(event: 'notification', listener: (message: { readonly payload?: string | undefined }) => void): unknown
  on(event: 'error' | 'end', listener: () => void): unknown
  removeListener(event: 'error', listener: () => void): unknown
  removeAllListeners(event: 'notification'): unknown
}

/** What is used of a `Pool` of `pg`. */
export interface PostgresPool extends PostgresQuerier {
  connect(): Promise<PostgresConnection>
  readonly options: { readonly max?: number | undefined }
}

// Serialization failure, deadlock, lock not available, query cancelled. (postgresql.org/docs/current/errcodes-appendix.html)
const conflicts: ReadonlySet<unknown> = new Set(['40001', '40P01', '55P03', '57014'])

/**
 * The rows of one statement.
 *
 * @throws ZanzibarError `Aborted` where the server gave it up for another transaction, `internal_error` for anything else
 */
export async function rowsOf(querier: PostgresQuerier, statement: Statement): Promise<readonly Row[]> {
  try {
    const answer = await querier.query(statement)
    // Several statements have several answers; none of ours that are several is asked for rows.
    return Array.isArray(answer) ? [] : answer.rows.filter(isRow)
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
    const message = error instanceof Error ? error.message : String(error)
    throw conflicts.has(code)
      ? new ZanzibarError('Aborted', `transactional write failed due to conflict: ${message}`, {
          cause: error,
        })
      : new ZanzibarError('internal_error', `PostgreSQL did not answer: ${message}`, { cause: error })
  }
}

// Program limit exceeded, of one value; internal error, of a row of several that are no longer than that.
const tooLong: ReadonlySet<unknown> = new Set(['54000', 'XX000'])

/** Whether a row was to be longer than PostgreSQL makes them: of a statement that failed. */
export function isTooLong(error: unknown): boolean {
  return error instanceof ZanzibarError && tooLong.has(Reflect.get(Object(error.cause), 'code'))
}

/** Runs `work` as a transaction on a connection of its own. */
export async function inTransaction<Result>(
  pool: PostgresPool,
  work: (connection: PostgresQuerier) => Promise<Result>,
): Promise<Result> {
  const connection = await pool.connect().catch((error: unknown) => {
    throw new ZanzibarError('internal_error', 'PostgreSQL gave no connection', { cause: error })
  })
  let isBroken = true
  // Lost between two statements, it says so to nobody else, and would end the process; the next statement fails.
  const ignore = (): void => {}
  connection.on('error', ignore)
  try {
    await rowsOf(connection, { text: 'BEGIN' })
    let result: Result
    try {
      result = await work(connection)
    } catch (error) {
      await rowsOf(connection, { text: 'ROLLBACK' })
      isBroken = false
      throw error
    }
    await rowsOf(connection, { text: 'COMMIT' })
    isBroken = false
    return result
  } finally {
    connection.removeListener('error', ignore)
    connection.release(isBroken)
  }
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null
}
