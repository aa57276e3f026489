/** What is kept of one idempotency key. Times are milliseconds of the store's clock. */
export interface IdempotencyRecord {
  /** Random, made anew whenever a key is claimed that has no record. */
  readonly id: string
  /** Whose key it is: an account, a tenant. Keys of two scopes never meet. */
  readonly scope: string
  /** The key itself never reaches a store: this is its HMAC, in base64url. */
  readonly key: string
  /** What was called, such as `POST /v1/charges`, or the name of an operation. */
  readonly endpoint: string
  /** SHA-256 of what was asked of it. */
  readonly fingerprint: Uint8Array
  readonly state: 'claimed' | 'completed' | 'uncertain'
  /** Goes up by one with each holder of this record. With `id` it names one holding. */
  readonly fence: number
  /** Random, of the holder: tells its own claim from a rival's where the answer to the claim was lost. */
  readonly owner: string
  /** 0: its holder has left it, for the next one to go on. */
  readonly leaseEnds: number
  readonly createdAt: number
  /** From then on a record that is completed, or failed and left nothing, may be reaped, and its key is as new. */
  readonly expiresAt: number
  /** The phase that was committed last. */
  readonly recoveryPoint: string | null
  /** What phases left, by their names. */
  readonly journal: ReadonlyMap<string, Uint8Array>
  /** What a completer needs to go on without the caller. */
  readonly operation: StoredOperation | null
  /** The answer, sealed; null until it is complete, and again once it was erased. */
  readonly response: Uint8Array | null
  /** Why it is uncertain. */
  readonly why: string | null
  readonly erased: boolean
}

/** A registered operation and its input, sealed. */
export interface StoredOperation {
  readonly name: string
  readonly input: Uint8Array
}

/** What becomes of a record whose holder is gone. */
export type OnAbandoned =
  /** It is run again from the start: nothing of it was committed, or running it twice does no harm. */
  | 'rerun'
  /** It goes on at its recovery point. */
  | 'resume'
  /** Nobody knows whether it had its effect, and nobody runs it again. */
  | 'uncertain'

/** A claim on a key. */
export interface ClaimRequest {
  readonly scope: string
  readonly key: string
  readonly endpoint: string
  readonly fingerprint: Uint8Array
  /** For the record if it is new. */
  readonly id: string
  readonly owner: string
  /** Milliseconds. */
  readonly lease: number
  /** Milliseconds from now until a completed record may be reaped. */
  readonly ttl: number
  readonly onAbandoned: OnAbandoned
  readonly operation: StoredOperation | null
}

/** One holding of a record. Whatever it writes is refused once another one holds it. */
export interface Holder {
  readonly scope: string
  readonly key: string
  readonly id: string
  readonly fence: number
  readonly owner: string
}

/** The record is the claimer's, or it is as it stands here. */
export interface ClaimAnswer {
  readonly claimed: boolean
  readonly record: IdempotencyRecord
  /** Milliseconds of the store's clock. */
  readonly now: number
}

/** What a claim makes of the record that is there. */
export function claim(found: IdempotencyRecord | undefined, request: ClaimRequest, now: number): ClaimAnswer {
  if (found === undefined || hasExpired(found, now))
    return { claimed: true, record: newRecord(request, now), now }
  if (found.state !== 'claimed') return { claimed: false, record: found, now }
  // The answer to an earlier try of this very claim was lost.
  if (found.owner === request.owner) return { claimed: true, record: found, now }
  if (found.leaseEnds > now || !isOf(request, found)) return { claimed: false, record: found, now }
  const onAbandoned = found.leaseEnds === 0 ? 'resume' : request.onAbandoned
  if (onAbandoned === 'uncertain') {
    return {
      claimed: false,
      record: uncertain(found, 'its holder was lost before it said what became of it'),
      now,
    }
  }
  const taken = { ...found, fence: found.fence + 1, owner: request.owner, leaseEnds: now + request.lease }
  return {
    claimed: true,
    record: onAbandoned === 'resume' ? taken : { ...taken, recoveryPoint: null, journal: new Map() },
    now,
  }
}

/** Whether the record is there as if it were not. */
export function hasExpired(record: IdempotencyRecord, now: number): boolean {
  return record.expiresAt <= now && canExpire(record)
}

/**
 * Whether it goes in time: it has its answer, or it failed, said so, and left nothing to go on from. What is uncertain, what
 * somebody holds or held to his end, and what an operation has begun never expires.
 */
export function canExpire({ state, leaseEnds, operation, recoveryPoint }: IdempotencyRecord): boolean {
  if (state === 'completed') return true
  return state === 'claimed' && leaseEnds === 0 && operation === null && recoveryPoint === null
}

/** Whether the holding still holds the record. */
export function holds(holder: Holder, found: IdempotencyRecord | undefined): found is IdempotencyRecord {
  return (
    found !== undefined &&
    found.state === 'claimed' &&
    found.id === holder.id &&
    found.fence === holder.fence &&
    found.owner === holder.owner
  )
}

/** A longer lease. A lease that has ended is renewed as well, as long as nobody took the record. */
export function renewed(record: IdempotencyRecord, lease: number, now: number): IdempotencyRecord {
  return { ...record, leaseEnds: now + lease }
}

/** It failed, and said so: the next one goes on where it stopped. */
export function left(record: IdempotencyRecord): IdempotencyRecord {
  return { ...record, leaseEnds: 0 }
}

/** A phase was committed. */
export function advanced(record: IdempotencyRecord, point: RecoveryPoint): IdempotencyRecord {
  const journal = record.erased ? record.journal : new Map([...record.journal, [point.name, point.output]])
  return { ...record, recoveryPoint: point.name, journal }
}

/** A phase that was committed, and what it left. */
export interface RecoveryPoint {
  readonly name: string
  readonly output: Uint8Array
}

/** The answer is known. */
export function completed(record: IdempotencyRecord, response: Uint8Array, now: number): IdempotencyRecord {
  const expiresAt = keptUntil(record, now)
  return { ...record, state: 'completed', response: record.erased ? null : response, expiresAt }
}

/**
 * Until when an answer is kept that comes now: for the retention of its key, from its first use, and for at least a tenth
 * of that from now on. One that came at its end would be gone before those who wait have it, and they would execute.
 */
export function keptUntil(
  { createdAt, expiresAt }: Pick<IdempotencyRecord, 'createdAt' | 'expiresAt'>,
  now: number,
): number {
  return Math.max(expiresAt, now + Math.floor((expiresAt - createdAt) / 10))
}

/** Nobody knows whether it had its effect. */
export function uncertain(record: IdempotencyRecord, why: string): IdempotencyRecord {
  return { ...record, state: 'uncertain', why }
}

/**
 * Somebody found out what it came to; its holder, where it wakes, is told that and not taken for who said it. Who asked has
 * had no answer however long ago that was: it is kept for a whole retention from now on.
 */
export function settled(record: IdempotencyRecord, response: Uint8Array, now: number): IdempotencyRecord {
  const expiresAt = now + record.expiresAt - record.createdAt
  const answered = completed(record, response, now)
  return { ...answered, fence: record.fence + 1, expiresAt: Math.max(record.expiresAt, expiresAt) }
}

/** Somebody found out: the next one goes on after the phase that was in doubt, or does it again. */
export function reopened(record: IdempotencyRecord, point: RecoveryPoint): IdempotencyRecord {
  return { ...advanced(left(record), point), state: 'claimed', fence: record.fence + 1, why: null }
}

/**
 * Key and fingerprint stay until it expires, so that a retry does not execute; what was said is gone, and what its holder
 * still comes to say is not kept.
 */
export function erased(record: IdempotencyRecord): IdempotencyRecord {
  const operation = record.operation === null ? null : { ...record.operation, input: new Uint8Array() }
  return { ...record, operation, response: null, journal: new Map(), why: null, erased: true }
}

/** One for all records that have none, of which there may be millions. */
export const noJournal: ReadonlyMap<string, Uint8Array> = new Map()

function newRecord(request: ClaimRequest, now: number): IdempotencyRecord {
  const { id, scope, key, endpoint, fingerprint, owner, lease, ttl, operation } = request
  return {
    id,
    scope,
    key,
    endpoint,
    fingerprint,
    state: 'claimed',
    fence: 1,
    owner,
    leaseEnds: now + lease,
    createdAt: now,
    expiresAt: now + ttl,
    recoveryPoint: null,
    journal: noJournal,
    operation,
    response: null,
    why: null,
    erased: false,
  }
}

/** Whether the record is of the same request. */
function isOf(
  { endpoint, fingerprint }: Pick<ClaimRequest, 'endpoint' | 'fingerprint'>,
  record: IdempotencyRecord,
): boolean {
  return record.endpoint === endpoint && sameBytes(record.fingerprint, fingerprint)
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
