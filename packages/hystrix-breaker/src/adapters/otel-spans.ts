import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { isResilienceError } from '../errors.ts'

const within = createContextKey('the spans of hystrix-breaker that it is inside of')

// Who schedules calls from inside of calls goes on for ever.
const nestedMax = 16

/** A span around a call, and the context that is active inside of it. */
export class CallSpan {
  readonly #span: Span
  readonly #outside: Context = context.active()
  readonly #inside: Context
  #recorded: unknown

  constructor(tracer: Tracer, name: string, attributes: Attributes) {
    this.#span = tracer.startSpan(name, { kind: SpanKind.INTERNAL, attributes }, this.#outside)
    this.#inside = trace
      .setSpan(this.#outside, this.#span)
      .setValue(within, [...withinOf(this.#outside), this].slice(-nestedMax))
  }

  /** Runs `run` with the span as the active one, wherever it is called from; in a span that is inside of it, in that. */
  inside<T>(run: () => T): T {
    return withinOf(context.active()).includes(this) ? run() : context.with(this.#inside, run)
  }

  event(name: string, attributes: Attributes): void {
    this.#span.addEvent(name, attributes)
  }

  exception(error: unknown): void {
    if (error === this.#recorded) return
    this.#recorded = error
    this.#span.recordException(error instanceof Error ? error : String(error))
  }

  fail(error: unknown, attributes: Attributes, then: () => void): void {
    this.exception(error)
    this.#span.setStatus({
      code: SpanStatusCode.ERROR,
      message: error instanceof Error ? error.message : String(error),
    })
    this.end({ ...attributes, 'error.type': errorType(error) }, then)
  }

  /** Without a status: it went well, or its caller gave it up. `then` is what comes after it, outside of the span. */
  end(attributes: Attributes, then: () => void): void {
    this.#span.setAttributes(attributes)
    this.#span.end()
    context.with(this.#outside, then)
  }
}

/** Of few values, as the semantic conventions have it: a code of this package, or the class of another error. */
function errorType(error: unknown): string {
  if (isResilienceError(error)) return error.code
  return error instanceof Error ? error.constructor.name : '_OTHER'
}

function withinOf(where: Context): readonly CallSpan[] {
  const spans = where.getValue(within)
  return Array.isArray(spans) ? spans : []
}
