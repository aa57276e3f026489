import { unlessAborted } from '../aborted.ts'
import type { Clock } from '../ports.ts'

/** Waits, at most until `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal, clock: Clock): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = (): void => resolve()
  const handle = clock.setTimeout(end, ms)
  signal.addEventListener('abort', end)
  try {
    await promise
  } finally {
    signal.removeEventListener('abort', end)
    clock.clearTimeout(handle)
  }
}

/** A limit to the time of a work. */
export interface TimeLimit {
  readonly ms: number
  readonly clock: Clock
  readonly signal: AbortSignal
  /** The error of a work that is too slow. */
  readonly late: () => Error
}

/** What `work` gives, unless time or `signal` end it first: it is then told by the signal that it is given. */
export async function withTimeout<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { ms, clock, signal, late }: TimeLimit,
): Promise<T> {
  const limit = new AbortController()
  const abort = (): void => limit.abort(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  const handle = clock.setTimeout(() => limit.abort(late()), ms)
  try {
    return await unlessAborted(work(limit.signal), limit.signal)
  } finally {
    clock.clearTimeout(handle)
    signal.removeEventListener('abort', abort)
  }
}
