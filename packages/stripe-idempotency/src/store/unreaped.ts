import type { Finding } from './store.ts'

/** How many are counted. */
export const unreapedMax = 10_000

/** What it means that so many answers have expired since more than a day, and are there: nothing deletes them. */
export function unreapedFinding(count: number): readonly Finding[] {
  if (count === 0) return []
  const many = count < unreapedMax ? String(count) : `${unreapedMax} or more`
  return [
    {
      severity: 'warning',
      subject: 'retention',
      message: `${many} records have expired more than a day ago, and nothing deletes them: start a worker with reap: true, or run reap`,
    },
  ]
}
