import type { Answer } from './answer.ts'

/** One call of a resolver, and what came of it. */
export interface Call {
  /** Undefined while the answer is awaited. */
  outcome: { readonly answer: Answer } | { readonly error: unknown } | undefined
  /** Fulfilled when there is an outcome; never rejected. */
  readonly settled: Promise<void> | undefined
}
