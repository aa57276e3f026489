import type { CircuitState } from './circuit-state.ts'

/** Decides when a circuit opens. */
export interface IBreaker {
  /** All of it, for {@link CircuitBreakerPolicy.toJSON}: plain data. */
  state: unknown
  /** A call succeeded. */
  success(state: CircuitState): void
  /** A call failed. True where the circuit should open. */
  failure(state: CircuitState): boolean
}
