import type { Duration } from '../duration.ts'
import { IdempotencyError, shown } from '../errors.ts'
import type { Run, RunRequest } from '../run.ts'
import type { Job } from './outbox.ts'

/** Options of an inbox. */
export interface InboxOptions extends Pick<RunRequest, 'rerun'> {
  /** How long to wait for another delivery of the same job that is at work. Default: not at all. */
  readonly wait?: Duration
}

/**
 * Takes one delivery of a job, as it came out of a queue.
 *
 * @returns whether its work was done this time; false where it had been done before
 * @throws IdempotencyError `input_invalid` where it is no job; `in_use`, `uncertain`, `mismatch`, `store_unavailable`: then it
 * is to be delivered again
 * @throws what the work throws; then nothing was done, and it is to be delivered again
 */
export type Inbox = (delivered: unknown) => Promise<boolean>

/** @param once carries something out once for its key, as `run` and `transaction` do */
export function inboxOf<Context>(
  once: (request: RunRequest, work: (context: Context) => Promise<void>) => Promise<Run<void>>,
  consumer: string,
  work: (job: Job, context: Context) => Promise<void>,
  options: InboxOptions,
): Inbox {
  return async (delivered) => {
    const job = jobOf(delivered)
    const { id, name, payload } = job
    const request = { ...options, scope: consumer, key: id, input: payload, operation: name }
    const { replayed } = await once(request, (context) => work(job, context))
    return !replayed
  }
}

function jobOf(delivered: unknown): Job {
  if (typeof delivered === 'object' && delivered !== null && 'id' in delivered && 'name' in delivered) {
    const { id, name } = delivered
    if (typeof id === 'string' && id !== '' && typeof name === 'string') {
      return { id, name, payload: 'payload' in delivered ? delivered.payload : undefined }
    }
  }
  throw new IdempotencyError(
    'input_invalid',
    `an inbox takes jobs as { id, name, payload }, with an id, not ${shown(delivered)}`,
  )
}
