/** A job for somebody else, staged in the commit that makes it due. */
export interface Job {
  /** The same however often it is delivered: whoever takes it can use it as an idempotency key. */
  readonly id: string
  readonly name: string
  readonly payload: unknown
}

/** A job as an outbox holds it. */
export interface StagedJob {
  readonly id: string
  readonly name: string
  /** Sealed. */
  readonly payload: Uint8Array
}

/** What the payload of a job is sealed for. */
export function jobPlace(id: string): string {
  return `job ${id}`
}

/** Where jobs are kept between the commit that staged them and their delivery. */
export interface Outbox<Transaction> {
  /** Within the transaction: the jobs are there if and only if it commits. */
  stage(transaction: Transaction, jobs: readonly StagedJob[]): Promise<void>
  /**
   * Takes at most `limit` jobs, oldest first, that nobody else has taken, and hands them to `deliver`. They are gone once it
   * has resolved, and there again when it rejects or dies: a job is delivered at least once, and again only where a drainer
   * was lost after it had delivered, or took longer than its lease.
   *
   * @returns the number of jobs delivered
   */
  drain(limit: number, deliver: (jobs: readonly StagedJob[]) => Promise<void>): Promise<number>
}
