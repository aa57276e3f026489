import { canExpire, type IdempotencyRecord } from '../record/record.ts'
import type { Finding } from './store.ts'

/** How many of each are looked at. */
export const openMax = 10_000

/**
 * What it means that records are open for long: somebody is to settle them, or nothing goes on with them.
 *
 * @param uncertain newest first, as a store lists them
 * @param abandoned claimed ones whose lease has ended since a day, newest first
 */
export function openFindings(
  uncertain: readonly IdempotencyRecord[],
  abandoned: readonly IdempotencyRecord[],
): readonly Finding[] {
  // What failed and left nothing waits for nobody.
  const stuck = abandoned.filter((record) => !canExpire(record))
  return [
    ...told(uncertain, 'uncertain', 'find out what came of each, and say so by resolve'),
    ...told(stuck, 'claimed', 'whoever held them is gone since more than a day: complete them, or ask again'),
  ]
}

function told(records: readonly IdempotencyRecord[], subject: string, advice: string): readonly Finding[] {
  const oldest = records.at(-1)
  if (oldest === undefined) return []
  const many = records.length < openMax ? String(records.length) : `${openMax} or more`
  const since = new Date(oldest.createdAt).toISOString()
  return [
    {
      severity: 'warning',
      subject,
      message: `${many} records are ${subject}, the oldest since ${since}: ${advice}`,
    },
  ]
}
