import { isIdempotencyError, storeUnavailable } from '../errors.ts'
import type { Held } from '../execution.ts'
import type { RecoveryPoint } from '../record/record.ts'
import { pause, type Setting } from './step.ts'

const pauseMs = 50

/** @throws IdempotencyError `lease_lost`, `store_unavailable` */
export async function commitPoint(held: Held, point: RecoveryPoint): Promise<void> {
  try {
    await held.advance(point)
  } catch (cause) {
    throw isIdempotencyError(cause) ? cause : storeUnavailable('commit a phase', cause)
  }
}

/** The same for what has had its effect: while the store cannot be reached it is asked again, for the time of a lease. */
export async function commitEffect(
  { clock, lease }: Pick<Setting, 'clock' | 'lease'>,
  held: Held,
  point: RecoveryPoint,
): Promise<void> {
  const deadline = clock.monotonic() + lease
  for (;;) {
    try {
      return await commitPoint(held, point)
    } catch (error) {
      if (held.signal.aborted || clock.monotonic() >= deadline) throw error
      await pause(clock, pauseMs)
    }
  }
}
