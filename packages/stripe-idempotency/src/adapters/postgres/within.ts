import {
  type ClaimAnswer,
  type ClaimRequest,
  claim,
  hasExpired,
  type IdempotencyRecord,
} from '../../record/record.ts'
import { claimBy } from '../../store/compare-and-set.ts'

/** What a look at a key tells. */
export interface Sought {
  /** No other transaction is at the key, and from now on this one is. */
  readonly free: boolean
  /** Whether there is a record of it. */
  readonly found: boolean
  readonly now: number
}

/** What a claim in a transaction asks of it. */
export interface ClaimSteps {
  seek(): Promise<Sought>
  look(): Promise<{ readonly now: number; readonly record: IdempotencyRecord } | undefined>
  /** Until no other transaction is at the key, or `wait` milliseconds are over. */
  waitForKey(wait: number): Promise<void>
  replace(found: IdempotencyRecord, record: IdempotencyRecord): Promise<boolean>
}

/**
 * A claim in a transaction that is open. What another open transaction has claimed is not to be seen, only that it is at
 * the key: then the claim is answered as one on a record just like it that another one holds.
 *
 * @param first the first look at the key
 * @returns `unwritten`: it has a new record, which nobody else can have before this transaction ends
 */
export async function claimWithin(
  steps: ClaimSteps,
  first: Sought,
  request: ClaimRequest,
  wait: number,
): Promise<ClaimAnswer & { readonly unwritten: boolean }> {
  let sought: Sought | undefined = first
  let waited = false
  let unwritten = false
  const answer = await claimBy(
    {
      insert: async () => {
        const { free, now, found } = sought ?? (await steps.seek())
        sought = undefined
        const there = found ? await steps.look() : undefined
        if (there !== undefined && (free || isAnswer(there))) return { claimed: false, ...there }
        // It has gone in between.
        if (found && there === undefined) return undefined
        if (free) {
          unwritten = true
          return claim(undefined, request, now)
        }
        if (wait > 0 && !waited) {
          waited = true
          await steps.waitForKey(wait)
          return undefined
        }
        const { record } = claim(undefined, request, now)
        return {
          claimed: false,
          record: there?.record ?? { ...record, id: 'of an open transaction', owner: '' },
          now,
        }
      },
      replace: steps.replace,
    },
    request,
  )
  return { ...answer, unwritten }
}

function isAnswer({ now, record }: { readonly now: number; readonly record: IdempotencyRecord }): boolean {
  return record.state === 'completed' && !hasExpired(record, now)
}
