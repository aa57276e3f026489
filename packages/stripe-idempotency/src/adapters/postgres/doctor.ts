import type { Finding } from '../../store/store.ts'
import type { Querier } from './client.ts'

const clockSkewMax = 1000

/** What would lose records, or carry a request out twice. */
export async function examine(
  querier: Querier,
  table: string,
  now: () => number,
): Promise<readonly Finding[]> {
  const asked = now()
  const [row = {}] = await querier.query(
    {
      name: 'idempotency_doctor',
      text: `SELECT (SELECT relpersistence::text FROM pg_class WHERE oid = to_regclass($1)) AS persistence,
        pg_is_in_recovery() AS replica, current_setting('fsync') AS fsync,
        current_setting('synchronous_commit') AS synchronous_commit,
        floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now`,
    },
    [table],
  )
  const findings: Finding[] = []
  const find = (severity: Finding['severity'], subject: string, message: string): number =>
    findings.push({ severity, subject, message })
  if (row['persistence'] === null) find('error', table, 'the table is not there: migrate')
  if (row['persistence'] === 'u') {
    find('error', table, `the table is UNLOGGED, and a crash empties it: ALTER TABLE ${table} SET LOGGED`)
  }
  if (row['persistence'] === 't')
    find('error', table, 'the table is TEMPORARY, and ends with its connection: migrate')
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
  return findings
}
