import type { Sliced } from './mode/mode.ts'
import type { Scheduler } from './ports.ts'

/** A slice goes on for so long before others get their turn. */
const sliceMs = 0.5

/** Works off one build at a time, in slices between other work. A newer build takes the place of the one under way. */
export class Rebuilder {
  readonly #scheduler: Scheduler
  readonly #failed: (error: unknown) => void
  #job: Sliced<void> | undefined
  /** The task that is to go on with the build; any other one comes too late. */
  #turn = 0
  #settled: PromiseWithResolvers<void> | undefined

  constructor(scheduler: Scheduler, failed: (error: unknown) => void) {
    this.#scheduler = scheduler
    this.#failed = failed
  }

  /**
   * Begins `job`; what it makes comes into force in its last slice. Asks for a turn even where one is awaited, lest a task that the
   * scheduler has lost should stop all builds to come.
   */
  start(job: Sliced<void>): void {
    this.#job = job
    this.#queue()
  }

  /** Drops the build under way. */
  cancel(): void {
    this.#job = undefined
    this.#settle(undefined)
  }

  settled(): Promise<void> {
    if (this.#job === undefined) return Promise.resolve()
    this.#settled ??= Promise.withResolvers()
    return this.#settled.promise
  }

  #queue(): void {
    const turn = ++this.#turn
    try {
      this.#scheduler.defer(() => {
        if (turn === this.#turn) this.#work()
      })
    } catch (error) {
      this.#fail(error)
    }
  }

  #work(): void {
    const job = this.#job
    if (job === undefined) return
    try {
      const begin = this.#scheduler.now()
      for (;;) {
        if (job.next().done === true) {
          // Whoever heard of the new table may have begun the next.
          if (this.#job !== job) return
          this.#job = undefined
          this.#settle(undefined)
          return
        }
        if (this.#scheduler.now() - begin >= sliceMs) break
      }
      this.#queue()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#job = undefined
    this.#settle(error)
    this.#failed(error)
  }

  #settle(error: unknown): void {
    const settled = this.#settled
    this.#settled = undefined
    if (error === undefined) settled?.resolve()
    else settled?.reject(error)
  }
}

/** Runs a sliced build in one go. */
export function finish<Result>(build: Sliced<Result>): Result {
  for (;;) {
    const step = build.next()
    if (step.done === true) return step.value
  }
}
