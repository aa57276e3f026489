import { isZanzibarError, ZanzibarError } from '../errors.ts'
import type { Deadline } from '../graph/list-users.ts'
import type { Clock } from '../ports.ts'

export interface ListDeadline extends Deadline {
  /** Forgets its timer. */
  release(): void
}

/** The reason with which a signal is aborted by time, and not by a client that has gone. */
export function deadlineExceeded(): ZanzibarError {
  return new ZanzibarError('deadline_exceeded', 'Request Deadline Exceeded')
}

/** Ends a list `after` milliseconds (0: never), or when the time of the request itself is over, as in OpenFGA. */
export function deadlineOf(
  clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>,
  after: number,
  request: AbortSignal | undefined,
): ListDeadline {
  const own = new AbortController()
  const timer = after === 0 ? undefined : clock.setTimeout(() => own.abort(deadlineExceeded()), after)
  const signal = request === undefined ? own.signal : AbortSignal.any([own.signal, request])
  return {
    signal,
    isOver: () =>
      signal.aborted && isZanzibarError(signal.reason) && signal.reason.code === 'deadline_exceeded',
    release: () => {
      if (timer !== undefined) clock.clearTimeout(timer)
    },
  }
}
