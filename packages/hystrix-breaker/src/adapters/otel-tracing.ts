import type { Attributes, Tracer } from '@opentelemetry/api'
import type { Breaker } from '../breaker.ts'
import type { Call, CallContext, ExecuteOptions, Sink, Work } from '../call.ts'
import type { CallScope } from '../call-scope.ts'
import type { PipelineParts, Policy, Step } from '../policy/policy.ts'
import type { Registry } from '../registry.ts'
import { CallSpan } from './otel-spans.ts'
import { replaceMethods } from './replaced-methods.ts'

/**
 * Makes a span of each call of the breakers of a registry, those that come later too, refused calls included; the function
 * that is returned ends it.
 *
 * - Its name is the breaker's, its kind INTERNAL. It is the active span of the work and of the fallback, also of calls that
 *   waited for a place.
 * - Attributes `hystrix_breaker.name`, `.group`, `.state` (when the call came) and `.events` (what happened, in Hystrix's
 *   names); and `error.type`, the code of a ResilienceError or the class of another error.
 * - Status ERROR, with the event `exception`, where its caller was given an error; none where its caller gave it up. Where a
 *   fallback is asked, the events `exception` (why) and `fallback`.
 *
 * ```ts
 * const stop = traceBreakers(trace.getTracer('my-service'), registry)
 * ```
 */
export function traceBreakers(tracer: Tracer, registry: Registry): () => void {
  const stopsOf = new Map<Breaker, () => void>()
  const begin = (breaker: Breaker): void => {
    if (!stopsOf.has(breaker)) stopsOf.set(breaker, traceBreaker(tracer, breaker))
  }
  const end = (breaker: Breaker): void => {
    stopsOf.get(breaker)?.()
    stopsOf.delete(breaker)
  }
  const stops = [
    registry.on('add', ({ breaker }) => begin(breaker)),
    registry.on('evict', ({ breaker }) => end(breaker)),
    registry.on('duplicate', ({ breaker, replaced }) => {
      end(replaced)
      begin(breaker)
    }),
  ]
  for (const breaker of registry) begin(breaker)
  return () => {
    for (const stop of stops) stop()
    for (const breaker of stopsOf.keys()) end(breaker)
  }
}

type Begin = (work: Work<unknown>, sink: Sink<unknown>, options?: ExecuteOptions<unknown>) => Call<unknown>

/** All calls go through `begin`, but for `execute`, which `start` stands in for. */
function traceBreaker(tracer: Tracer, breaker: Breaker): () => void {
  const begin: Begin = breaker.begin.bind(breaker)
  const withSpan: Begin = (work, sink, options = {}) => {
    const { name, group, state } = breaker
    const span = new CallSpan(tracer, name, {
      'hystrix_breaker.name': name,
      'hystrix_breaker.group': group,
      'hystrix_breaker.state': state,
    })
    const { fallback } = options
    const inside = {
      ...options,
      fallback:
        typeof fallback !== 'function'
          ? fallback
          : (error: unknown): unknown => {
              span.exception(error)
              span.event('fallback', {})
              return span.inside(() => fallback(error))
            },
    }
    let call: Call<unknown> | undefined
    const attributes = (): Attributes => ({ 'hystrix_breaker.events': [...(call?.events ?? [])] })
    call = begin(
      (context) => {
        call = context as Call<unknown>
        return span.inside(() => work(context))
      },
      {
        succeed: (value) => span.end(attributes(), () => sink.succeed(value)),
        fail: (error) => {
          const then = (): void => sink.fail(error)
          if (call?.events.includes('CANCELLED') === true) span.end(attributes(), then)
          else span.fail(error, attributes(), then)
        },
      },
      inside,
    )
    return call
  }
  return replaceMethods(breaker, {
    begin: () => withSpan as never,
    execute: () => (work, options) =>
      breaker.start(work as Work<unknown>, options as ExecuteOptions<unknown>).answer,
  })
}

/**
 * A policy that makes a span of each run of a pipeline, for the outermost place. The span has the pipeline's name and is the
 * active one of the work in each attempt; the events `retry` and `hedge` (`hystrix_breaker.attempt`, the first extra one is
 * 2) are where another attempt of the work begins, after the others or beside them, and `fallback` is where the run was
 * answered though no attempt was. Status and `error.type` are as those of {@link traceBreakers}.
 *
 * ```ts
 * pipeline(traced(tracer), retry(), circuitBreaker(), timeout('1s'))
 * ```
 */
export function traced(tracer: Tracer): Policy {
  return {
    added: [],
    compile:
      <Inner>(next: Step<Inner>, { name }: PipelineParts): Step<Inner> =>
      <T>(scope: CallScope, work: Work<T>, sink: Sink<T | Inner>): void => {
        const run = new TracedRun(new CallSpan(tracer, name, { 'hystrix_breaker.name': name }), scope, sink)
        run.span.inside(() => next(scope, (context) => run.attempt(work, context), run))
      },
  }
}

class TracedRun<T> implements Sink<T> {
  readonly span: CallSpan
  readonly #scope: CallScope
  readonly #sink: Sink<T>
  #attempts = 0
  #running = 0
  #isAnswered = false

  constructor(span: CallSpan, scope: CallScope, sink: Sink<T>) {
    this.span = span
    this.#scope = scope
    this.#sink = sink
  }

  attempt<A>(work: Work<A>, context: CallContext): A | PromiseLike<A> {
    this.#attempts++
    if (this.#attempts > 1)
      this.span.event(this.#running > 0 ? 'hedge' : 'retry', { 'hystrix_breaker.attempt': this.#attempts })
    return this.span.inside(() => this.#watched(work, context))
  }

  async #watched<A>(work: Work<A>, context: CallContext): Promise<A> {
    this.#running++
    try {
      const value = await work(context)
      this.#isAnswered = true
      return value
    } catch (error) {
      this.span.exception(error)
      throw error
    } finally {
      this.#running--
    }
  }

  succeed(value: T): void {
    if (!this.#isAnswered) this.span.event('fallback', {})
    this.span.end(this.#attributes(), () => this.#sink.succeed(value))
  }

  fail(error: unknown): void {
    const then = (): void => this.#sink.fail(error)
    if (this.#scope.isAborted) this.span.end(this.#attributes(), then)
    else this.span.fail(error, this.#attributes(), then)
  }

  #attributes(): Attributes {
    return { 'hystrix_breaker.attempts': this.#attempts }
  }
}
