/** What happens to a call on its way, in the names of Hystrix's HystrixEventType. */
export type CallEvent =
  | 'SUCCESS'
  | 'FAILURE'
  | 'TIMEOUT'
  | 'SHORT_CIRCUITED'
  | 'THREAD_POOL_REJECTED'
  | 'SEMAPHORE_REJECTED'
  | 'BAD_REQUEST'
  | 'CANCELLED'
  | 'EMIT'
  | 'FALLBACK_EMIT'
  | 'FALLBACK_SUCCESS'
  | 'FALLBACK_FAILURE'
  | 'FALLBACK_REJECTION'
  | 'FALLBACK_DISABLED'
  | 'FALLBACK_MISSING'
  | 'EXCEPTION_THROWN'
  | 'RESPONSE_FROM_CACHE'
  | 'COLLAPSED'

/** All of them, each once; the place of an event here is its place in counters. */
export const callEvents: readonly CallEvent[] = [
  'SUCCESS',
  'FAILURE',
  'TIMEOUT',
  'SHORT_CIRCUITED',
  'THREAD_POOL_REJECTED',
  'SEMAPHORE_REJECTED',
  'BAD_REQUEST',
  'CANCELLED',
  'EMIT',
  'FALLBACK_EMIT',
  'FALLBACK_SUCCESS',
  'FALLBACK_FAILURE',
  'FALLBACK_REJECTION',
  'FALLBACK_DISABLED',
  'FALLBACK_MISSING',
  'EXCEPTION_THROWN',
  'RESPONSE_FROM_CACHE',
  'COLLAPSED',
]

/** The place of each event in {@link callEvents}. */
export const placeOf: Readonly<Record<CallEvent, number>> = forEachEvent((place) => place)

/** A number for each event, made from its place. */
export function forEachEvent(numberOf: (place: number) => number): Record<CallEvent, number> {
  return {
    SUCCESS: numberOf(0),
    FAILURE: numberOf(1),
    TIMEOUT: numberOf(2),
    SHORT_CIRCUITED: numberOf(3),
    THREAD_POOL_REJECTED: numberOf(4),
    SEMAPHORE_REJECTED: numberOf(5),
    BAD_REQUEST: numberOf(6),
    CANCELLED: numberOf(7),
    EMIT: numberOf(8),
    FALLBACK_EMIT: numberOf(9),
    FALLBACK_SUCCESS: numberOf(10),
    FALLBACK_FAILURE: numberOf(11),
    FALLBACK_REJECTION: numberOf(12),
    FALLBACK_DISABLED: numberOf(13),
    FALLBACK_MISSING: numberOf(14),
    EXCEPTION_THROWN: numberOf(15),
    RESPONSE_FROM_CACHE: numberOf(16),
    COLLAPSED: numberOf(17),
  }
}
