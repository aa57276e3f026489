import { Breaker } from '../breaker.ts'
import type { BreakerOptions } from '../breaker-options.ts'
import { type InnerCall, type InnerWork, type Sink, underWay, type Work } from '../call.ts'
import { CallScope } from '../call-scope.ts'
import { InvalidOptionError, shown } from '../errors.ts'
import { cameWhileStalled } from '../local-fault/stalled-timeouts.ts'
import type { Policy, Step } from './policy.ts'

/** A breaker as a policy. */
export interface CircuitBreakerPolicy extends Policy {
  readonly breaker: Breaker
}

/**
 * A {@link Breaker} around what is inside: one that is given, which stays its owner's, or one of these options, which is
 * disposed of with the pipeline. Of a breaker made here the time limit is none if not given: `timeout` is a policy of its
 * own. A run that is given up outside, by its caller or by a time limit, is not counted.
 *
 * @throws InvalidOptionError naming the option.
 */
export function circuitBreaker(given: Breaker | BreakerOptions = {}): CircuitBreakerPolicy {
  if (given instanceof Breaker) return { added: [], breaker: given, compile: (next) => around(given, next) }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new InvalidOptionError(`circuitBreaker takes a Breaker or its options, not ${shown(given)}`)
  const breaker = new Breaker({ timeout: false, ...given })
  return {
    added: [],
    breaker,
    compile: (next) => around(breaker, next),
    dispose: () => breaker[Symbol.asyncDispose](),
  }
}

function around<Inner>(breaker: Breaker, next: Step<Inner>): Step<Inner> {
  return <T>(scope: CallScope, work: Work<T>, sink: Sink<T | Inner>): void => {
    const guarded = new GuardedCall<T | Inner>(scope, sink)
    guarded.begin(breaker, (inside) => next(guarded, work, inside))
  }
}

/** What takes the breaker's answer, and the scope of what the breaker lets through. */
class GuardedCall<T> extends CallScope implements Sink<T> {
  readonly #sink: Sink<T>
  #call: InnerCall<T> | undefined
  /** Whether what is inside has begun and not answered. */
  runs = false

  constructor(parent: CallScope, sink: Sink<T>) {
    super(parent)
    this.#sink = sink
  }

  begin(breaker: Breaker, run: (inside: Sink<T>) => void): void {
    // Before there is anything inside: the call may have to wait for its place.
    this.join()
    const inside: InnerWork<T> = (call) => this.#inside(call, run)
    this.#call = breaker.begin(inside, this)
    if (this.isAborted) this.aborted(this.reason)
  }

  succeed(value: T): void {
    this.release()
    this.#sink.succeed(value)
  }

  // Where the breaker gave it up, what is inside still runs.
  fail(error: unknown): void {
    this.release()
    if (this.runs) this.abort(error)
    this.#sink.fail(error)
  }

  // First the breaker, which would else take what fails inside for a failure.
  override aborted(reason: unknown): void {
    this.#call?.aborted(reason)
    this.abort(reason)
  }

  #inside(call: InnerCall<T>, run: (inside: Sink<T>) => void): typeof underWay {
    this.runs = true
    run(new Inside(this, call))
    return underWay
  }
}

/** What takes the answer from inside. */
class Inside<T> implements Sink<T> {
  readonly #guarded: GuardedCall<T>
  readonly #call: InnerCall<T>

  constructor(guarded: GuardedCall<T>, call: InnerCall<T>) {
    this.#guarded = guarded
    this.#call = call
  }

  succeed(value: T): void {
    this.#guarded.runs = false
    this.#call.succeed(value)
  }

  fail(error: unknown): void {
    this.#guarded.runs = false
    // It failed for no fault of what is inside.
    if (cameWhileStalled(error)) this.#call.aborted(error)
    else this.#call.fail(error)
  }
}
