import type { Mode } from '../mode/mode.ts'
import type { HeaderLines, HttpResponse, LiveResponse } from './message.ts'
import { linesOf } from './message.ts'

/** A request that is answered. */
export interface Answered {
  readonly key: string
  readonly requestId: string
  /** Until then the answer is kept, milliseconds of the store's clock; undefined where it is not known yet. */
  readonly expiresAt?: number | undefined
}

/**
 * The first answer to a key, as a mode has it. The application's own id of the request comes first. Where it passes on the
 * answer of another server, that one's `Idempotent-Replayed` is not about this key.
 */
export function firstAnswer(
  mode: Mode,
  response: LiveResponse,
  { key, requestId, expiresAt }: Answered,
): LiveResponse {
  const own = linesOf(response.headers, 'request-id')[0]
  const headers = response.headers.filter(([name]) => name !== 'idempotent-replayed')
  return withHeaders({ ...response, headers }, [
    ...(own === undefined ? idOf(mode, requestId) : []),
    ...originalOf(mode, own ?? requestId),
    keyOf(mode, key),
    ...shouldRetry(mode, response.status),
    ...(mode.keeps(response.status) ? expiry(mode, expiresAt) : []),
  ])
}

/** @param original id of the request that was answered first */
export function repeatedAnswer(
  mode: Mode,
  response: HttpResponse,
  original: string,
  { key, requestId, expiresAt }: Answered,
): LiveResponse {
  return withHeaders(response, [
    ...idOf(mode, requestId),
    ...originalOf(mode, original),
    keyOf(mode, key),
    ['idempotent-replayed', 'true'],
    ['cache-control', 'no-store'],
    ...shouldRetry(mode, response.status),
    ...expiry(mode, expiresAt),
  ])
}

/** An answer of the mode itself. */
export function refusal(mode: Mode, response: HttpResponse, requestId: string): LiveResponse {
  return withHeaders(response, idOf(mode, requestId))
}

/** As the mode takes it: where keys are Strings of Structured Fields, quoted. */
function keyOf({ key: { header, syntax } }: Mode, key: string): readonly [string, string] {
  return [header.toLowerCase(), syntax === 'raw' ? key : `"${key.replaceAll(/["\\]/g, '\\$&')}"`]
}

function idOf(mode: Mode, requestId: string): HeaderLines {
  return mode.requestIds ? [['request-id', requestId]] : []
}

function originalOf(mode: Mode, requestId: string): HeaderLines {
  return mode.requestIds ? [['original-request', requestId]] : []
}

function expiry(mode: Mode, expiresAt: number | undefined): HeaderLines {
  if (mode.tellsExpiry !== true || expiresAt === undefined) return []
  return [['idempotency-expires', new Date(expiresAt).toUTCString()]]
}

/** An answer that is kept stays the same, however often it is asked for. */
function shouldRetry(mode: Mode, status: number): HeaderLines {
  return mode.shouldRetry && mode.keeps(status) && status >= 500 ? [['stripe-should-retry', 'false']] : []
}

/** Ours in place of those of the same names. */
function withHeaders(response: LiveResponse, ours: HeaderLines): LiveResponse {
  const names = new Set(ours.map(([name]) => name))
  return { ...response, headers: [...response.headers.filter(([name]) => !names.has(name)), ...ours] }
}
