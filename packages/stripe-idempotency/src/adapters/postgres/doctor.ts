import type { Finding } from '../../store/store.ts'
import { unreapedFinding, unreapedMax } from '../../store/unreaped.ts'
import type { Querier } from './client.ts'
import { expiredBy, statement } from './statements.ts'

const clockSkewMax = 1000

/** What would lose records, or carry a request out twice. */
export async function examine(
  querier: Querier,
  table: string,
  now: () => number,
): Promise<readonly Finding[]> {
  const asked = now()
  const [row = {}] = await querier.query(
    statement(`SELECT to_regclass($1) IS NOT NULL AS there, pg_is_in_recovery() AS replica,
      current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
      floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now`),
    [table],
  )
  const findings = [...(await persistenceOf(querier, table))]
  const find = (severity: Finding['severity'], subject: string, message: string): number =>
    findings.push({ severity, subject, message })
  if (row['replica'] === true) find('error', 'server', 'it is a replica, which lags behind: take the primary')
  if (row['fsync'] === 'off')
    find('error', 'fsync', 'it is off, and a crash may lose or break records: set it to on')
  if (row['synchronous_commit'] === 'off') {
    find('error', 'synchronous_commit', 'it is off, and a crash loses answers that were sent: set it to on')
  }
  const skew = Number(row['now']) - (asked + now()) / 2
  if (Math.abs(skew) > clockSkewMax) {
    find('warning', 'clock', `the server's clock is ${Math.round(skew)} ms off this process's`)
  }
  if (row['there'] === true) findings.push(...unreapedFinding(await unreaped(querier, table)))
  return findings
}

/** Whether a crash of the server keeps what is in a table. */
export async function persistenceOf(querier: Querier, table: string): Promise<readonly Finding[]> {
  const [row] = await querier.query(
    statement('SELECT relpersistence::text AS persistence FROM pg_class WHERE oid = to_regclass($1)'),
    [table],
  )
  const error = (message: string): readonly Finding[] => [{ severity: 'error', subject: table, message }]
  if (row === undefined) return error('the table is not there: migrate')
  if (row['persistence'] === 'u') {
    return error(`the table is UNLOGGED, and a crash empties it: ALTER TABLE ${table} SET LOGGED`)
  }
  return row['persistence'] === 't'
    ? error('the table is TEMPORARY, and ends with its connection: migrate')
    : []
}

const yesterday = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint - 86400000'

/** Records that have expired since a day, as far as they are counted. */
async function unreaped(querier: Querier, table: string): Promise<number> {
  const rows = await querier.query(
    statement(`SELECT 1 FROM ${table} WHERE ${expiredBy(yesterday)} LIMIT $1::int`),
    [unreapedMax],
  )
  return rows.length
}
