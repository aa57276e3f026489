import { Buffer } from 'node:buffer'
import { type Duration, parseRetention } from '../duration.ts'
import { IdempotencyError, isIdempotencyError } from '../errors.ts'
import type { HeaderLines } from '../http/message.ts'
import { realClock, realRandom } from '../ports.ts'
import { encodeResponse, keptBody, keptHeaders } from '../response/stored-response.ts'
import { checkScope, checkText } from '../run.ts'
import { checkedSecrets, placeOf, type Sealer, type Secret, sealerOf } from '../seal.ts'
import type { IdempotencyStore } from '../store/store.ts'

/** Where records go that another library has kept. Let nothing of that library run meanwhile. */
export interface ImportOptions {
  readonly store: IdempotencyStore
  /** As of `createIdempotency`. Default: none. */
  readonly secrets?: readonly Secret[]
  /** For how long answers are kept from now on, or from their date where they have one. Default: `24h`. */
  readonly ttl?: Duration
}

/** What became of what was read. */
export interface ImportReport {
  /** Answers that are replayed from now on. */
  readonly imported: number
  /** What was at work, or had been when its process died: nobody knows whether it had its effect. */
  readonly uncertain: number
  /** Keys that the store had already; they stay as they are. */
  readonly present: number
  /** Past their retention. */
  readonly expired: number
  /** What could not be read, by its place from 0, without its contents. */
  readonly refused: readonly { readonly place: number; readonly why: string }[]
}

/** A record of another library, in our terms. */
export interface ForeignRecord {
  readonly scope: string
  readonly key: string
  readonly endpoint: string
  readonly fingerprint: Uint8Array
  /** Undefined where it was not complete. */
  readonly response:
    | { readonly status: number; readonly headers: HeaderLines; readonly body: Uint8Array }
    | undefined
  /** When it was begun, Unix milliseconds; undefined where nobody knows. */
  readonly createdAt: number | undefined
}

const responseMax = 2 ** 18

/**
 * Puts what `read` makes of each entry into the store.
 *
 * @throws IdempotencyError `invalid_option`
 * @throws what the store throws; it can be begun again, and goes on where it stopped
 */
export async function importRecords<Entry>(
  entries: Iterable<Entry> | AsyncIterable<Entry>,
  read: (entry: Entry) => ForeignRecord,
  { store, secrets, ttl: retention = '24h' }: ImportOptions,
): Promise<ImportReport> {
  const ttl = parseRetention('ttl', retention)
  const sealer = sealerOf(checkedSecrets(secrets), realRandom)
  const sum = { imported: 0, uncertain: 0, present: 0, expired: 0 }
  const refused: { place: number; why: string }[] = []
  let place = -1
  for await (const entry of entries) {
    place++
    let record: ForeignRecord
    try {
      record = read(entry)
      checkScope(record.scope)
      checkText('key', record.key)
      if (Number.isNaN(record.createdAt))
        throw new IdempotencyError('record_corrupt', 'it has a date that cannot be read')
    } catch (error) {
      refused.push({ place, why: isIdempotencyError(error) ? error.message : 'it cannot be read' })
      continue
    }
    sum[await put(record, store, sealer, ttl)]++
  }
  return { ...sum, refused }
}

async function put(
  { scope, key, endpoint, fingerprint, response, createdAt }: ForeignRecord,
  store: IdempotencyStore,
  sealer: Sealer,
  ttl: number,
): Promise<'imported' | 'uncertain' | 'present' | 'expired'> {
  const left = createdAt === undefined ? ttl : createdAt + ttl - realClock.now()
  if (response !== undefined && left <= 0) return 'expired'
  const id = Buffer.from(realRandom.bytes(16)).toString('base64url')
  const name = sealer.keyOf(scope, key)
  const { claimed, record } = await store.claim({
    scope,
    key: name,
    endpoint,
    fingerprint: sealer.markOf(fingerprint, scope, name),
    id,
    owner: id,
    lease: 60_000,
    ttl: Math.max(1, left),
    onAbandoned: 'uncertain',
    operation: null,
  })
  if (!claimed) return 'present'
  if (response === undefined) {
    await store.markUncertain(record, 'it was not complete when it was imported')
    return 'uncertain'
  }
  const headers = response.headers.filter(([header]) => keptHeaders.has(header))
  const kept = { status: response.status, headers, requestId: null, ...keptBody(response.body, responseMax) }
  await store.complete(record, sealer.seal(encodeResponse(kept), placeOf(record, 'answer')))
  return 'imported'
}
