import type { DatabaseSync } from 'node:sqlite'
import type { Finding } from '../../store/store.ts'
import { unreapedFinding, unreapedMax } from '../../store/unreaped.ts'

const dayMs = 86_400_000

/**
 * What would lose records, or carry a request out twice.
 *
 * @param expiring condition of records that go in time
 */
export function examine(
  database: DatabaseSync,
  table: string,
  expiring: string,
  now: number,
): readonly Finding[] {
  const findings: Finding[] = []
  const damage = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
  if (damage !== 'ok') {
    const message = `the file is damaged: ${String(damage)}; restore it, or recover what can be read`
    findings.push({ severity: 'error', subject: 'database', message })
  }
  const mode = database.prepare('PRAGMA journal_mode').get()?.['journal_mode']
  if (mode !== 'wal') {
    const message =
      mode === 'memory'
        ? 'the database is in memory, and ends with its connection'
        : `it is ${String(mode)}, as WAL cannot be had here, such as on a network file system: take a local one`
    findings.push({ severity: 'warning', subject: 'journal_mode', message })
  }
  const unreaped = database
    .prepare(`SELECT 1 FROM ${table} WHERE ${expiring} AND expires_at <= ? LIMIT ?`)
    .all(now - dayMs, unreapedMax)
  return [...findings, ...unreapedFinding(unreaped.length)]
}
