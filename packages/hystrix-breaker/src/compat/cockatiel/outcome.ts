/** How a call failed: by an error, or by a value that a result filter takes for a failure. */
export type FailureReason<ReturnType> = { error: unknown } | { value: ReturnType }

/** How a call ended. */
export type Outcome<T> = FailureReason<T>

/** Is called once. */
export type Settled<T> = (outcome: Outcome<T>) => void
