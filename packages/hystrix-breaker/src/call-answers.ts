import { isAbortSignal } from './abort-signal.ts'
import type { BreakerEmitter } from './breaker-emitter.ts'
import type { Call } from './call.ts'
import type { CallMetrics } from './metrics/call-metrics.ts'

const settled = Promise.resolve()

/** Ends calls with what their callers get, and tells of it. Each is ended once. */
export class CallAnswers {
  readonly #metrics: CallMetrics
  readonly #emitter: BreakerEmitter

  constructor(metrics: CallMetrics, emitter: BreakerEmitter) {
    this.#metrics = metrics
    this.#emitter = emitter
  }

  /** `substitute`: what became of its fallback, a place in `callEvents`. */
  succeed(call: Call<unknown>, value: unknown, now: number, substitute: number): void {
    this.#over(call, now, substitute)
    if (this.#emitter.hearsExecution) this.#emitter.executed(call, now, {})
    if (call.admitted) call.sink.succeed(value)
    else void settled.then(() => call.sink.succeed(value))
  }

  /** `substitute`: as of {@link CallAnswers.succeed}; none for a call that may have no fallback. */
  fail(call: Call<unknown>, error: unknown, now: number, substitute?: number): void {
    this.#over(call, now, substitute)
    if (this.#emitter.hearsExecution) this.#emitter.executed(call, now, { error })
    // A promise that is rejected before its caller can look at it costs more, in Node's books of unhandled rejections,
    // than all the rest of a refusal.
    if (!call.admitted) void settled.then(() => call.sink.fail(error))
    else call.sink.fail(error)
  }

  #over(call: Call<unknown>, now: number, substitute: number | undefined): void {
    const { signal } = call.options
    call.stage = 'over'
    if (isAbortSignal(signal)) call.unwatch(signal)
    if (substitute !== undefined) {
      call.substitute = substitute
      this.#metrics.count(now, substitute)
    }
    if (call.admitted) this.#metrics.answered(now, call)
  }
}
