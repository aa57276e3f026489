import type { IdempotencyRecord } from '../record/record.ts'

/** A record for a person: times as dates, contents by their sizes. Neither the key nor what is sealed is in it. */
export function shownRecord(record: IdempotencyRecord): object {
  const { id, state, scope, key, endpoint, fence, recoveryPoint, journal, operation, response, why, erased } =
    record
  return {
    id,
    state,
    scope,
    keyHash: key,
    endpoint,
    fence,
    createdAt: date(record.createdAt),
    ...(state === 'claimed' && { leaseEnds: record.leaseEnds === 0 ? 'left' : date(record.leaseEnds) }),
    ...(state === 'completed' && { expiresAt: date(record.expiresAt) }),
    ...(why !== null && { why }),
    ...(operation !== null && { operation: operation.name }),
    ...(recoveryPoint !== null && { recoveryPoint }),
    ...(journal.size > 0 && { journal: [...journal.keys()] }),
    ...(response !== null && { responseBytes: response.length }),
    ...(erased && { erased }),
  }
}

function date(ms: number): string {
  return new Date(ms).toISOString()
}
