import type { Bucket, Status } from './status.ts'

interface Judged {
  fires: number
  failures: number
}

/**
 * Failures by fires in the window of a status, which is what opossum opens by. What was counted before the circuit last
 * closed, and failures that come late, stay in the status and are left out here.
 */
export class ErrorRate {
  readonly #status: Status
  readonly #leftOut = new WeakMap<Bucket, Judged>()

  constructor(status: Status) {
    this.#status = status
  }

  /** Whether more than `percentage` of at least `volume` fires failed. */
  exceeds(percentage: number, volume: number): boolean {
    const sum: Judged = { fires: 0, failures: 0 }
    for (const bucket of this.#status.window) {
      const left = this.#leftOut.get(bucket)
      sum.fires += bucket.fires - (left?.fires ?? 0)
      sum.failures += bucket.failures - (left?.failures ?? 0)
    }
    return sum.fires >= volume && (sum.failures / sum.fires) * 100 > percentage
  }

  /** Leaves out all that was counted until now. */
  forget(): void {
    for (const bucket of this.#status.window)
      this.#leftOut.set(bucket, { fires: bucket.fires, failures: bucket.failures })
  }

  /** Leaves out the failure that was counted last. */
  leaveOutFailure(): void {
    const [bucket] = this.#status.window
    if (bucket === undefined) return
    const left = this.#leftOut.get(bucket)
    this.#leftOut.set(bucket, { fires: left?.fires ?? 0, failures: (left?.failures ?? 0) + 1 })
  }
}
