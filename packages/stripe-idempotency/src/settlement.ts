import { type RequestContent, sameFingerprint } from './fingerprint/fingerprint.ts'
import { nodeIdempotencyFingerprints } from './import/foreign-fingerprint.ts'
import type { ClaimRequest, IdempotencyRecord, OnAbandoned } from './record/record.ts'
import { placeOf, type Sealer } from './seal.ts'

/** What is asked for, once. */
export interface Request {
  readonly scope: string
  /** As the client sent it. */
  readonly key: string
  readonly endpoint: string
  readonly fingerprint: Uint8Array
  /** What the fingerprint is of, for records that another library has made. */
  readonly content?: RequestContent
  readonly onAbandoned: OnAbandoned
  /** Milliseconds to wait for another one that holds the key; 0 for not at all. */
  readonly wait: number
  readonly operation?: { readonly name: string; readonly input: Uint8Array }
  /** The caller has gone, and waits no longer. Work that has begun goes on. */
  readonly signal?: AbortSignal
}

/** What work came to. */
export type Performed =
  | {
      readonly answer: Uint8Array
      /** It is the answer to this key from now on. */
      readonly fate: 'keep'
      /** What it wrote in its transaction is not to be committed, the answer alone. */
      readonly undo?: boolean
    }
  | {
      readonly answer: Uint8Array
      readonly fate: /** It is the answer already: a transaction of the work's own has kept it. */
        | 'kept'
        /** Nothing was done: the key is as new. */
        | 'release'
        /** It failed and may be asked for again, to go on where it stopped. */
        | 'leave'
      /** What was thrown. */
      readonly error?: unknown
    }
  /** Nobody knows whether it had its effect. */
  | { readonly fate: 'uncertain'; readonly why: string }

/** What became of a request. */
export type Settled =
  | {
      readonly outcome: 'executed'
      readonly recordId: string
      readonly fence: number
      readonly answer: Uint8Array
      /** Until then the answer is kept, milliseconds of the store's clock. */
      readonly expiresAt: number
    }
  /** `answer` is null where it was erased. */
  | {
      readonly outcome: 'replayed'
      readonly recordId: string
      readonly fence: number
      readonly answer: Uint8Array | null
      readonly expiresAt: number
    }
  /** `endpoint` is the one the key was first used for. */
  | { readonly outcome: 'mismatch'; readonly of: 'endpoint' | 'content'; readonly endpoint: string }
  | { readonly outcome: 'in-use'; readonly recordId: string }
  | { readonly outcome: 'uncertain'; readonly recordId: string; readonly why: string }

/** Whether a record is of the same content as a request. Records of before fingerprints had marks have them themselves. */
function isSame(
  { scope, key, fingerprint: stored }: IdempotencyRecord,
  { fingerprint, content }: Request,
  sealer: Sealer,
): boolean {
  const isIts = (each: Uint8Array): boolean =>
    sameFingerprint(stored, sealer.markOf(each, scope, key)) || sameFingerprint(stored, each)
  return isIts(fingerprint) || (content !== undefined && nodeIdempotencyFingerprints(content).some(isIts))
}

/** A claim on a record of the same request that has another mark of it. */
export function asRecorded(
  claim: ClaimRequest,
  { fingerprint }: IdempotencyRecord,
): ClaimRequest | undefined {
  return sameFingerprint(fingerprint, claim.fingerprint) ? undefined : { ...claim, fingerprint }
}

/** What a record that is there means for a request. A mismatch is seen before anything else. */
export function settledBy(record: IdempotencyRecord, request: Request, sealer: Sealer): Settled {
  if (record.endpoint !== request.endpoint) {
    return { outcome: 'mismatch', of: 'endpoint', endpoint: record.endpoint }
  }
  if (!isSame(record, request, sealer)) {
    return { outcome: 'mismatch', of: 'content', endpoint: record.endpoint }
  }
  if (record.state === 'completed') return replayOf(record, sealer)
  return record.state === 'uncertain'
    ? { outcome: 'uncertain', recordId: record.id, why: record.why ?? '' }
    : { outcome: 'in-use', recordId: record.id }
}

export function replayOf(record: IdempotencyRecord, sealer: Sealer): Settled {
  const { id, fence, response, expiresAt } = record
  const answer = response === null ? null : sealer.open(response, placeOf(record, 'answer'))
  return { outcome: 'replayed', recordId: id, fence, answer, expiresAt }
}
