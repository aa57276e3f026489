import {
  type ClaimAnswer,
  type ClaimRequest,
  claim,
  hasExpired,
  type IdempotencyRecord,
} from '../../record/record.ts'
import { claimBy } from '../../store/compare-and-set.ts'

/** What a claim in a transaction asks of it. */
export interface ClaimSteps {
  /** `free`: no other transaction is at the key, and from now on this one is. `answer`: what was put there, or is seen there. */
  claim(): Promise<{ readonly free: boolean; readonly now: number; readonly answer?: ClaimAnswer }>
  /** Until no other transaction is at the key; false where that took longer than `wait` milliseconds. */
  waitForKey(wait: number): Promise<boolean>
  replace(found: IdempotencyRecord, record: IdempotencyRecord): Promise<boolean>
}

/**
 * A claim in a transaction that is open. What another open transaction has claimed is not to be seen, only that it is at
 * the key: then the claim is answered as one on a record just like it that another one holds.
 */
export function claimWithin(steps: ClaimSteps, request: ClaimRequest, wait: number): Promise<ClaimAnswer> {
  let waited = false
  return claimBy(
    {
      insert: async () => {
        const { free, now, answer } = await steps.claim()
        if (free) return answer
        if (answer?.record.state === 'completed' && !hasExpired(answer.record, now)) return answer
        if (wait > 0 && !waited) {
          waited = true
          if (await steps.waitForKey(wait)) return undefined
        }
        const { record } = claim(undefined, request, now)
        return {
          claimed: false,
          record: answer?.record ?? { ...record, id: 'of an open transaction', owner: '' },
          now,
        }
      },
      replace: steps.replace,
    },
    request,
  )
}
