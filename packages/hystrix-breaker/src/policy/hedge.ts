import type { Sink, Work } from '../call.ts'
import { type Abortable, CallScope } from '../call-scope.ts'
import { InvalidOptionError } from '../errors.ts'
import { LatencyHistogram } from '../metrics/latency-histogram.ts'
import {
  checkClock,
  checkDuration,
  checkFunction,
  checkInteger,
  checkNames,
  type Duration,
} from '../option-checks.ts'
import { type Clock, realClock } from '../ports.ts'
import type { RetryBudget } from '../retry-budget.ts'
import { ask } from './ask.ts'
import { checkBudget, chosenBudget } from './chosen-budget.ts'
import type { PipelineParts, Policy, Step } from './policy.ts'
import { mayPass } from './retry.ts'

export interface HedgeOptions {
  /**
   * How long an attempt is waited for before the next one begins beside it: a duration, 0 for all at once, Infinity for only
   * after a failure; or a percentile of how long first attempts took, such as `p95`, over the last minute, and 2 s until 20 of
   * them are known. Default 2 s.
   */
  readonly delay?: Duration
  /** Extra attempts, 1 to 10. Default 1. */
  readonly max?: number
  /** What extra attempts may spend. Default: that of the pipeline; `false` for no limit. */
  readonly budget?: RetryBudget | false
  /** Whether an answer ends the race. Default: every one does; an error never does. */
  readonly accept?: (value: unknown) => boolean
  /** Default: real time. */
  readonly clock?: Clock
}

/**
 * Begins further attempts where one is slow or fails. The first acceptable answer wins, and the signals of the others are
 * aborted. Where none is acceptable, what became of the first attempt stands. Each run deposits in the budget, each extra
 * attempt withdraws from it; without budget there is no extra attempt. Dean and Barroso, The Tail at Scale, 2013; the delay
 * as in Polly.
 *
 * @throws InvalidOptionError naming the option.
 */
export function hedge(options: HedgeOptions = {}): Policy {
  checkNames('hedge', options, ['delay', 'max', 'budget', 'accept', 'clock'])
  const clock = checkClock(options.clock ?? realClock)
  const budget = checkBudget(options.budget)
  const settings = {
    attempts: 1 + checkInteger('max', options.max ?? 1, 1, 10),
    accept: options.accept === undefined ? undefined : checkFunction('accept', options.accept),
    delay: readDelay(options.delay ?? 2000),
    clock,
  }
  return {
    added: [],
    compile<Inner>(next: Step<Inner>, parts: PipelineParts): Step<Inner> {
      const plan: Plan<Inner> = { ...settings, next, parts, budget: chosenBudget(budget, parts) }
      return <T>(scope: CallScope, work: Work<T>, sink: Sink<T | Inner>): void => {
        const now = clock.monotonic()
        const { budget: own } = plan
        if (own !== undefined && scope.first(own)) own.deposit(now)
        new HedgedCall(plan, scope, work, sink, now).begin()
      }
    },
  }
}

interface Delay {
  /** Milliseconds. */
  at(now: number): number
  /** So long a first attempt took, or was waited for. */
  record(now: number, duration: number): void
}

interface Plan<Inner> {
  readonly attempts: number
  readonly accept: ((value: unknown) => boolean) | undefined
  readonly delay: Delay
  readonly clock: Clock
  readonly budget: RetryBudget | undefined
  readonly next: Step<Inner>
  readonly parts: PipelineParts
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

class HedgedCall<T, Inner> implements Abortable {
  readonly #plan: Plan<Inner>
  readonly #scope: CallScope
  readonly #work: Work<T>
  readonly #sink: Sink<T | Inner>
  readonly #startedAt: number
  readonly #attempts: Attempt<T | Inner>[] = []
  #out = 0
  #first: Outcome<T | Inner> | undefined
  #timer: unknown
  #over = false

  constructor(plan: Plan<Inner>, scope: CallScope, work: Work<T>, sink: Sink<T | Inner>, startedAt: number) {
    this.#plan = plan
    this.#scope = scope
    this.#work = work
    this.#sink = sink
    this.#startedAt = startedAt
  }

  begin(): void {
    const delay = this.#plan.delay.at(this.#startedAt)
    this.#scope.add(this)
    this.#attempt()
    if (delay === 0) while (this.#another());
    else if (delay < Infinity) this.#arm(delay)
  }

  aborted(reason: unknown): void {
    this.#end({ error: reason })
  }

  succeeded(attempt: Attempt<T | Inner>, value: T | Inner): void {
    if (this.#over) return
    const { accept, parts } = this.#plan
    if (accept === undefined || ask(parts, 'accept', accept, value, true)) {
      attempt.isOut = false
      this.#end({ value })
    } else this.#ended(attempt, { value }, true)
  }

  failed(attempt: Attempt<T | Inner>, error: unknown): void {
    this.#ended(attempt, { error }, mayPass(error))
  }

  // It did not win. Another attempt takes its place at once, if that can help.
  #ended(attempt: Attempt<T | Inner>, outcome: Outcome<T | Inner>, goOn: boolean): void {
    if (this.#over) return
    attempt.isOut = false
    this.#out--
    if (attempt.isFirst) this.#first = outcome
    if (goOn) this.#another()
    if (this.#out === 0 && !this.#over) this.#end(this.#first ?? outcome)
  }

  #another(): boolean {
    const { attempts, budget, clock, parts } = this.#plan
    if (this.#over || this.#attempts.length >= attempts || this.#scope.isAborted) return false
    if (budget !== undefined && !budget.withdraw(clock.monotonic())) return false
    parts.emitter.emit('hedge', () => ({ name: parts.name, attempt: this.#attempts.length + 1 }))
    this.#attempt()
    return true
  }

  #attempt(): void {
    const attempt = new Attempt<T | Inner>(this.#scope, this, this.#attempts.length === 0)
    this.#attempts.push(attempt)
    this.#out++
    this.#plan.next(attempt, this.#work, attempt)
  }

  #arm(delay: number): void {
    if (this.#over || this.#attempts.length >= this.#plan.attempts) return
    this.#timer = this.#plan.clock.setTimeout(() => {
      if (this.#another()) this.#arm(delay)
    }, delay)
  }

  #end(outcome: Outcome<T | Inner>): void {
    if (this.#over) return
    this.#over = true
    const { clock, delay } = this.#plan
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    this.#scope.remove(this)
    const now = clock.monotonic()
    delay.record(now, now - this.#startedAt)
    for (const each of this.#attempts)
      if (each.isOut) each.abort(this.#scope.isAborted ? this.#scope.reason : beaten())
    if ('value' in outcome) this.#sink.succeed(outcome.value)
    else this.#sink.fail(outcome.error)
  }
}

/** One attempt's scope, and what takes its answer. */
class Attempt<T> extends CallScope implements Sink<T> {
  readonly isFirst: boolean
  isOut = true
  readonly #race: {
    succeeded(attempt: Attempt<T>, value: T): void
    failed(attempt: Attempt<T>, error: unknown): void
  }

  constructor(
    parent: CallScope,
    race: {
      succeeded(attempt: Attempt<T>, value: T): void
      failed(attempt: Attempt<T>, error: unknown): void
    },
    isFirst: boolean,
  ) {
    super(parent)
    this.#race = race
    this.isFirst = isFirst
  }

  // The race is told, and tells its attempts.
  override join(): void {}

  succeed(value: T): void {
    this.#race.succeeded(this, value)
  }

  fail(error: unknown): void {
    this.#race.failed(this, error)
  }
}

function beaten(): DOMException {
  return new DOMException('another attempt answered first', 'AbortError')
}

const unknownDelay = 2000
const fewest = 20
// A percentile is worked out once in so many milliseconds.
const staleAfter = 1000

function readDelay(delay: unknown): Delay {
  if (delay === 0 || delay === Infinity) return fixed(delay)
  const [, percent] = typeof delay === 'string' ? (/^p(\d{1,2}(?:\.\d{1,6})?)$/.exec(delay) ?? []) : []
  if (percent !== undefined) return percentileOf(Number(percent))
  if (typeof delay === 'string' && delay.startsWith('p'))
    throw new InvalidOptionError(`delay must be a percentile such as 'p95', not '${delay.slice(0, 60)}'`)
  return fixed(checkDuration('delay', delay))
}

function fixed(ms: number): Delay {
  return { at: () => ms, record: () => {} }
}

function percentileOf(percent: number): Delay {
  const durations = new LatencyHistogram(60_000, 6)
  let known = unknownDelay
  let since = -Infinity
  return {
    at: (now) => {
      if (now - since >= staleAfter) {
        const summary = durations.summary(now)
        known = summary.count < fewest ? unknownDelay : Math.max(1, summary.percentile(percent))
        since = now
      }
      return known
    },
    record: (now, duration) => durations.record(now, duration),
  }
}
