import { IdempotencyError } from '../errors.ts'
import { type ClaimAnswer, type ClaimRequest, claim, type IdempotencyRecord } from '../record/record.ts'

/** What a server does in one step for a claim. */
export interface CompareAndSet {
  /** Puts a new record where there is none; else what is there, unchanged. Undefined where that could not be read: again. */
  insert(request: ClaimRequest): Promise<ClaimAnswer | undefined>
  /** Puts `record` in the place of `found`, if that is still what is there. */
  replace(found: IdempotencyRecord, record: IdempotencyRecord): Promise<boolean>
}

/** How often a step is taken again because something else came first. */
export const triesMax = 100

/**
 * A claim by compare-and-set: in one step where the key is new or nothing changes, in two where a record is taken over.
 *
 * @throws IdempotencyError `store_unavailable` where the record changes each time
 */
export async function claimBy(server: CompareAndSet, request: ClaimRequest): Promise<ClaimAnswer> {
  for (let tries = 0; tries < triesMax; tries++) {
    const inserted = await server.insert(request)
    if (inserted === undefined) continue
    if (inserted.claimed) return inserted
    const answer = claim(inserted.record, request, inserted.now)
    if (answer.record === inserted.record || (await server.replace(inserted.record, answer.record)))
      return answer
  }
  throw new IdempotencyError('store_unavailable', `a record changed ${triesMax} times while it was claimed`)
}
