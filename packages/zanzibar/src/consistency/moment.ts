import { isZanzibarError, ZanzibarError } from '../errors.ts'
import { stopIfAborted } from '../graph/question.ts'
import type { Clock } from '../ports.ts'
import type { Snapshot, Wanted } from '../store/snapshot.ts'
import type { TupleStore } from '../store/tuple-store.ts'

/** Which moment of a store is asked for. */
export interface Moment {
  /** This revision or a later one. */
  readonly least: number
  /** Where it is given, this very revision, and `least` does not count. */
  readonly exactly?: number | undefined
}

/** Where a moment is waited for, and how long. */
export interface Waiting {
  readonly store: Pick<TupleStore, 'revision' | 'changed' | 'snapshot'>
  readonly storeId: string
  readonly clock: Clock
  /** Milliseconds. */
  readonly limit: number
  readonly signal?: AbortSignal | undefined
  /** What will be asked for first. */
  readonly first?: (() => Wanted) | undefined
}

/**
 * Opens a snapshot of a moment, which the caller releases: at once, without a promise, where the store has come to it and
 * can be asked so. It is never of an earlier one, whatever the store gives.
 *
 * @throws ZanzibarError `token_from_the_future` where the moment does not come in time; `token_expired`; `cancelled`
 */
export function momentOf(moment: Moment, waiting: Waiting): Snapshot | Promise<Snapshot> {
  const first = attempt(moment, waiting)
  if (first instanceof Promise) return first.then((snapshot) => snapshot ?? wait(moment, waiting))
  return first ?? wait(moment, waiting)
}

/** Undefined where the store has not come to it. */
function attempt(
  { least, exactly }: Moment,
  { store, storeId, signal, first }: Waiting,
): Snapshot | undefined | Promise<Snapshot | undefined> {
  const taken = (snapshot: Snapshot): Snapshot | undefined => {
    if (snapshot.revision >= (exactly ?? least)) return snapshot
    snapshot.release()
    return undefined
  }
  try {
    const opened = store.snapshot(storeId, { revision: exactly, signal, first })
    return opened instanceof Promise
      ? opened.then(taken).catch((error: unknown) => orFuture(error, signal))
      : taken(opened)
  } catch (error) {
    return orFuture(error, signal)
  }
}

function orFuture(error: unknown, signal: AbortSignal | undefined): undefined {
  // A store gives up with the signal's reason.
  stopIfAborted(signal)
  if (!isZanzibarError(error) || error.code !== 'token_from_the_future') throw error
}

async function wait(moment: Moment, waiting: Waiting): Promise<Snapshot> {
  const { store, storeId, clock, limit, signal } = waiting
  const over = new AbortController()
  const timer = clock.setTimeout(() => over.abort(), limit)
  const either = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal])
  try {
    for (;;) {
      // Asked first: what comes after that is waited for in vain by nobody.
      const now = await store.revision(storeId)
      const snapshot = await attempt(moment, waiting)
      if (snapshot !== undefined) return snapshot
      stopIfAborted(signal)
      if (over.signal.aborted) throw tooEarly(now, moment, limit)
      await store.changed(storeId, now, either).catch((error: unknown) => {
        if (!either.aborted) throw error
      })
    }
  } finally {
    clock.clearTimeout(timer)
  }
}

function tooEarly(now: number, { least, exactly = least }: Moment, limit: number): ZanzibarError {
  return new ZanzibarError(
    'token_from_the_future',
    `the store is at revision ${now} and did not come to ${exactly} within ${limit} ms; ask later, or the store that gave the token`,
  )
}

/** Releases the snapshot when `work` is done, at once where that can be. */
export function held<T>(snapshot: Snapshot, work: (snapshot: Snapshot) => T | Promise<T>): T | Promise<T> {
  let result: T | Promise<T>
  try {
    result = work(snapshot)
  } catch (error) {
    snapshot.release()
    throw error
  }
  if (result instanceof Promise) return result.finally(() => snapshot.release())
  snapshot.release()
  return result
}
