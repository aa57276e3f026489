import { IdempotencyError, shown } from '../../errors.ts'
import { sqlState, undefinedTable } from './sql-state.ts'

/** @throws IdempotencyError `invalid_option` for what is not a name that needs no quotes, perhaps with its schema */
export function checkTable(table: string): void {
  if (/^([a-z_][a-z0-9_]{0,40}\.)?[a-z_][a-z0-9_]{0,40}$/.test(table)) return
  throw new IdempotencyError(
    'invalid_option',
    `table must be a plain name in lower case, perhaps with its schema, not ${shown(table)}`,
  )
}

/** @throws IdempotencyError `store_unavailable` that says what to do where the table is not there */
export function missingTable<Answer>(table: string, asked: Promise<Answer>): Promise<Answer> {
  return asked.catch((cause: unknown) => {
    if (sqlState(cause) !== undefinedTable) throw cause
    throw new IdempotencyError('store_unavailable', `there is no table ${table}: call migrate() once`, {
      cause,
    })
  })
}
