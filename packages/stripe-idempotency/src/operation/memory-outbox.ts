import { IdempotencyError } from '../errors.ts'
import { parseCount } from './count.ts'
import type { Outbox, StagedJob } from './outbox.ts'

/** Options of {@link memoryOutbox}. */
export interface MemoryOutboxOptions {
  /** Jobs that it holds at most; a phase that stages more fails with `store_unavailable`. Default: 100,000. */
  readonly capacity?: number
}

/**
 * An outbox beside a store in memory: for tests, and for where a job need not outlive the process.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function memoryOutbox(options: MemoryOutboxOptions = {}): Outbox<null> {
  const capacity = parseCount('capacity', options.capacity ?? 100_000)
  const waiting: StagedJob[] = []
  let delivering = 0
  return {
    async stage(transaction, jobs) {
      // One that is rolled back would leave its jobs here.
      if (transaction !== null) {
        throw new IdempotencyError(
          'invalid_option',
          'the outbox in memory is for stores without transactions',
        )
      }
      if (waiting.length + delivering + jobs.length > capacity) {
        throw new IdempotencyError(
          'store_unavailable',
          `the outbox in memory holds ${waiting.length + delivering} jobs, and has room for ${capacity}; drain it, or raise capacity`,
        )
      }
      waiting.push(...jobs)
    },
    async drain(limit, deliver) {
      const jobs = waiting.splice(0, limit)
      if (jobs.length === 0) return 0
      delivering += jobs.length
      try {
        await deliver(jobs)
      } catch (error) {
        waiting.unshift(...jobs)
        throw error
      } finally {
        delivering -= jobs.length
      }
      return jobs.length
    },
  }
}
