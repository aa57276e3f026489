import type { Duration } from '../duration.ts'

/** What a phase may know. */
export interface PhaseContext<Input, Outputs, Prev> {
  readonly input: Input
  /** What the phase before left; undefined in the first. */
  readonly prev: Prev
  /** What all phases before left, by their names. */
  readonly outputs: Outputs
  readonly recordId: string
  /** Goes up with each holder: a resource that refuses lower ones refuses those who woke too late. */
  readonly fence: number
  /** Aborted when the lease is lost, and when the worker that runs it is disposed of. */
  readonly signal: AbortSignal
}

/** Of a phase that writes in a transaction. */
export interface TxContext<Input, Outputs, Prev> extends PhaseContext<Input, Outputs, Prev> {
  /** Puts a job into the outbox, in the same commit. `payload` is kept as JSON. */
  stage(name: string, payload: unknown): void
}

/** Of a phase that calls somebody else. */
export interface CallContext<Input, Outputs, Prev> extends PhaseContext<Input, Outputs, Prev> {
  /** The idempotency key to send along: the same in every attempt, and of nobody else. 43 characters of base64url. */
  readonly foreignKey: string
}

/** Options of every phase. */
export interface PhaseOptions {
  /**
   * Whether the same may succeed later; then the operation stays where it is. An error that is not retryable is final: it is what the
   * operation came to, and replayed. What looks like a broken connection is never final. Default: every error is retryable.
   */
  readonly retryable?: (error: unknown) => boolean
}

/** A call to somebody else, who keeps idempotency keys too. */
export interface CallPhase<Input, Outputs, Prev, Output> extends PhaseOptions {
  /**
   * For how long the other side keeps keys, from their first use. It is not called again later than that, less a
   * twentieth. 0: it keeps none, and is called once.
   */
  readonly retention: Duration
  /** May be called several times with the same `foreignKey`. */
  readonly run: (context: CallContext<Input, Outputs, Prev>) => Output | Promise<Output>
  /** Finds out what became of calls with this `foreignKey`, once it is too late to call again. Default: the operation is uncertain. */
  readonly reconcile?: (
    context: CallContext<Input, Outputs, Prev>,
  ) => Verdict<Output> | Promise<Verdict<Output>>
}

/** What became of a call. */
export type Verdict<Output> =
  | { readonly verdict: 'applied'; readonly value: Output }
  | { readonly verdict: 'notApplied' }
  | { readonly verdict: 'unknown' }

/** The call took effect; `value` is what it would have answered. */
export function applied<Output>(value: Output): Verdict<Output> {
  return { verdict: 'applied', value }
}

/** It did not, and never will: it is called again. */
export function notApplied(): Verdict<never> {
  return { verdict: 'notApplied' }
}

/** Nobody can say yet. */
export function unknown(): Verdict<never> {
  return { verdict: 'unknown' }
}

/** A phase as it is carried out: its types have been checked where it was made. */
export type Phase = TxStep | CallStep

export interface TxStep extends PhaseOptions {
  readonly kind: 'tx'
  readonly name: string
  run(transaction: unknown, context: TxContext<unknown, unknown, unknown>): unknown
}

export interface CallStep extends PhaseOptions {
  readonly kind: 'call'
  readonly name: string
  /** Milliseconds. */
  readonly retention: number
  run(context: CallContext<unknown, unknown, unknown>): unknown
  reconcile?(context: CallContext<unknown, unknown, unknown>): Verdict<unknown> | Promise<Verdict<unknown>>
}
