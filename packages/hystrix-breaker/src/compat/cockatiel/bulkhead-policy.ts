import { Bulkhead } from '../../bulkhead.ts'
import { checkNumber } from '../../option-checks.ts'
import type { ContextFields } from './call-context.ts'
import type { CallSignal } from './call-signal.ts'
import { BulkheadRejectedError, TaskCancelledError } from './errors.ts'
import { type Event, EventEmitter } from './event.ts'
import { GuardedPolicy, run, type Step } from './guarded-policy.ts'
import type { Settled } from './outcome.ts'
import { type IFailureEvent, type ISuccessEvent, OutcomeFilter } from './outcome-filter.ts'

/** So many calls at once, and so many more that wait their turn. */
export class BulkheadPolicy extends GuardedPolicy {
  readonly #capacity: number
  readonly #queueCapacity: number
  readonly #bulkhead: Bulkhead<() => void>
  readonly #filter = new OutcomeFilter()
  readonly #reject = new EventEmitter<void>()
  readonly onSuccess: Event<ISuccessEvent> = this.#filter.onSuccess
  readonly onFailure: Event<IFailureEvent> = this.#filter.onFailure
  /** A call found no place. */
  readonly onReject: Event<void> = this.#reject.addListener

  /** Infinity is allowed for both. @throws InvalidOptionError naming the option. */
  constructor(capacity: number, queueCapacity: number) {
    super()
    this.#capacity = checkNumber('capacity', capacity, 0, Infinity)
    this.#queueCapacity = checkNumber('queueCapacity', queueCapacity, 0, Infinity)
    this.#bulkhead = new Bulkhead(capacity, queueCapacity)
  }

  /** Calls that could begin now. */
  get executionSlots(): number {
    return this.#capacity - this.#bulkhead.running
  }

  /** Calls that could wait now. */
  get queueSlots(): number {
    return this.#queueCapacity - this.#bulkhead.queued
  }

  /** @internal */
  override [run]<T>(step: Step<T>, signal: CallSignal, fields: ContextFields, settled: Settled<T>): void {
    if (signal.aborted) {
      settled({ error: new TaskCancelledError() })
      return
    }
    let forget = (): void => {}
    const begin = (): void => {
      forget()
      const startedAt = this.#filter.begin()
      step(signal, fields, (ended) => {
        const { outcome } = this.#filter.judge(ended, startedAt)
        this.#leave()
        settled(outcome)
      })
    }
    if (this.#bulkhead.enter()) begin()
    else if (this.#bulkhead.wait(begin)) {
      forget = signal.onAbort(() => {
        if (this.#bulkhead.remove(begin)) settled({ error: new TaskCancelledError() })
      })
    } else {
      this.#reject.emit()
      settled({ error: new BulkheadRejectedError(this.#capacity, this.#queueCapacity) })
    }
  }

  // In a task of its own: a long queue of calls that end at once must not grow the stack.
  #leave(): void {
    const next = this.#bulkhead.leave()
    if (next !== undefined) queueMicrotask(next)
  }
}
