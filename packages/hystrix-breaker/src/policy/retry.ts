import type { Sink, Work } from '../call.ts'
import type { Abortable, CallScope } from '../call-scope.ts'
import { isResilienceError } from '../errors.ts'
import { checkClock, checkFunction, checkInteger, checkNames, type Duration } from '../option-checks.ts'
import { type Clock, keepAlive, realClock } from '../ports.ts'
import type { RetryBudget } from '../retry-budget.ts'
import { ask } from './ask.ts'
import { type Backoff, readBackoff } from './backoff.ts'
import { checkBudget, chosenBudget } from './chosen-budget.ts'
import type { PipelineParts, Policy, Step } from './policy.ts'
import { refusal } from './refusal.ts'

export interface RetryOptions {
  /** Calls in all, the first included; 1 to 1000. Default 3. */
  readonly attempts?: number
  /** The wait before each retry: a duration, 0 for none, or such as {@link exponential}. Default 100 ms. */
  readonly backoff?: Duration | Backoff
  /** What retries may spend. Default: that of the pipeline; `false` for no limit. */
  readonly budget?: RetryBudget | false
  /**
   * Whether an error is worth another attempt. Default: every error, but not the refusals of policies: of those only
   * `TIMEOUT`.
   */
  readonly retryIf?: (error: unknown) => boolean
  /** Whether an answer is worth another attempt; the last one goes to the caller. Default: none is. */
  readonly retryResult?: (value: unknown) => boolean
  /** Default: real time. */
  readonly clock?: Clock
}

/**
 * Makes another attempt where one failed. Each run deposits in the budget, each retry withdraws from it; where it has no
 * more, the run fails with `BUDGET_EXHAUSTED`, the error in `cause`. Where there are no attempts left, the last error goes to
 * the caller as it is. A caller that gives up ends the wait.
 *
 * @throws InvalidOptionError naming the option.
 */
export function retry(options: RetryOptions = {}): Policy {
  checkNames('retry', options, ['attempts', 'backoff', 'budget', 'retryIf', 'retryResult', 'clock'])
  const clock = checkClock(options.clock ?? realClock)
  const budget = checkBudget(options.budget)
  const settings = {
    attempts: checkInteger('attempts', options.attempts ?? 3, 1, 1000),
    backoff: readBackoff('backoff', options.backoff ?? 100),
    retryIf: checkFunction('retryIf', options.retryIf ?? mayPass),
    retryResult:
      options.retryResult === undefined ? undefined : checkFunction('retryResult', options.retryResult),
    clock,
  }
  return {
    added: [],
    compile<Inner>(next: Step<Inner>, parts: PipelineParts): Step<Inner> {
      const plan: Plan<Inner> = { ...settings, next, parts, budget: chosenBudget(budget, parts) }
      return <T>(scope: CallScope, work: Work<T>, sink: Sink<T | Inner>): void => {
        const { budget: own } = plan
        if (own !== undefined && scope.first(own)) own.deposit(clock.monotonic())
        new RetriedCall(plan, scope, work, sink).begin()
      }
    },
  }
}

/** Not a refusal, which the next attempt would get as well. */
export function mayPass(error: unknown): boolean {
  return !isResilienceError(error) || error.code === 'TIMEOUT'
}

interface Plan<Inner> {
  readonly attempts: number
  readonly backoff: () => (attempt: number) => number
  readonly retryIf: (error: unknown) => boolean
  readonly retryResult: ((value: unknown) => boolean) | undefined
  readonly clock: Clock
  readonly budget: RetryBudget | undefined
  readonly next: Step<Inner>
  readonly parts: PipelineParts
}

class RetriedCall<T, Inner> implements Sink<T | Inner>, Abortable {
  readonly #plan: Plan<Inner>
  readonly #scope: CallScope
  readonly #work: Work<T>
  readonly #sink: Sink<T | Inner>
  #attempt = 1
  #waitOf: ((attempt: number) => number) | undefined
  #timer: unknown
  #beginning = false
  #isDue = false

  constructor(plan: Plan<Inner>, scope: CallScope, work: Work<T>, sink: Sink<T | Inner>) {
    this.#plan = plan
    this.#scope = scope
    this.#work = work
    this.#sink = sink
  }

  begin(): void {
    const { next } = this.#plan
    // In a loop: attempts that fail at once would else begin each on the stack of the one before.
    this.#beginning = true
    do {
      this.#isDue = false
      next(this.#scope, this.#work, this)
    } while (this.#isDue)
    this.#beginning = false
  }

  succeed(value: T | Inner): void {
    const { retryResult, parts } = this.#plan
    if (
      retryResult !== undefined &&
      this.#mayGoOn() &&
      ask(parts, 'retryResult', retryResult, value, false) &&
      this.#pays()
    )
      this.#again(undefined)
    else this.#sink.succeed(value)
  }

  fail(error: unknown): void {
    const { retryIf, parts } = this.#plan
    if (!this.#mayGoOn() || !ask(parts, 'retryIf', retryIf, error, false)) this.#sink.fail(error)
    else if (this.#pays()) this.#again(error)
    else {
      const message = 'it failed, and the retry budget has nothing left for another attempt'
      this.#sink.fail(refusal(parts, 'BUDGET_EXHAUSTED', message, { cause: error }))
    }
  }

  aborted(reason: unknown): void {
    this.#plan.clock.clearTimeout(this.#timer)
    this.#sink.fail(reason)
  }

  #mayGoOn(): boolean {
    return this.#attempt < this.#plan.attempts && !this.#scope.isAborted
  }

  #pays(): boolean {
    const { budget, clock } = this.#plan
    return budget === undefined || budget.withdraw(clock.monotonic())
  }

  #again(error: unknown): void {
    const { backoff, clock, parts } = this.#plan
    this.#waitOf ??= backoff()
    const delay = this.#wait(this.#waitOf)
    this.#attempt++
    parts.emitter.emit('retry', () => ({ name: parts.name, attempt: this.#attempt, delay, error }))
    // Whoever was asked or told may have given the run up.
    if (delay === 0 || this.#scope.isAborted) {
      this.#next()
      return
    }
    this.#timer = clock.setTimeout(() => {
      this.#scope.remove(this)
      this.#next()
    }, delay)
    keepAlive(this.#timer)
    this.#scope.add(this)
  }

  #wait(waitOf: (attempt: number) => number): number {
    try {
      return waitOf(this.#attempt)
    } catch (error) {
      const { name, emitter } = this.#plan.parts
      emitter.emit('error', () => ({ name, option: 'backoff', error }))
      return 0
    }
  }

  #next(): void {
    if (this.#scope.isAborted) this.#sink.fail(this.#scope.reason)
    else if (this.#beginning) this.#isDue = true
    else this.begin()
  }
}
