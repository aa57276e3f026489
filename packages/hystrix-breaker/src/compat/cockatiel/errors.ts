/** The circuit is open. */
export class BrokenCircuitError extends Error {
  readonly isBrokenCircuitError = true

  constructor(message = 'Execution prevented because the circuit breaker is open') {
    super(message)
  }
}

/** The circuit is held open by {@link CircuitBreakerPolicy.isolate}. */
export class IsolatedCircuitError extends BrokenCircuitError {
  readonly isIsolatedCircuitError = true

  constructor() {
    super('Execution prevented because the circuit breaker is isolated')
  }
}

/** The failure that a circuit starts with which was restored as open. */
export class HydratingCircuitError extends Error {
  readonly isHydratingCircuitError = true

  constructor(message = 'The circuit breaker was open when its state was saved') {
    super(message)
  }
}

export class BulkheadRejectedError extends Error {
  readonly isBulkheadRejectedError = true

  constructor(executionSlots: number, queueSlots: number) {
    super(
      `Bulkhead capacity exceeded: all of ${executionSlots} execution slots and ${queueSlots} queue slots are taken`,
    )
  }
}

/** The caller's signal was aborted while the call waited, or an aggressive timeout was reached. */
export class TaskCancelledError extends Error {
  readonly isTaskCancelledError = true

  constructor(message = 'Operation cancelled') {
    super(message)
  }
}

// By their mark and not by their class: an error of another copy of this package, or of cockatiel, is known as well.
export function isBrokenCircuitError(error: unknown): error is BrokenCircuitError {
  return error instanceof Error && 'isBrokenCircuitError' in error
}

export function isIsolatedCircuitError(error: unknown): error is IsolatedCircuitError {
  return error instanceof Error && 'isIsolatedCircuitError' in error
}

export function isHydratingCircuitError(error: unknown): error is HydratingCircuitError {
  return error instanceof Error && 'isHydratingCircuitError' in error
}

export function isBulkheadRejectedError(error: unknown): error is BulkheadRejectedError {
  return error instanceof Error && 'isBulkheadRejectedError' in error
}

export function isTaskCancelledError(error: unknown): error is TaskCancelledError {
  return error instanceof Error && 'isTaskCancelledError' in error
}
