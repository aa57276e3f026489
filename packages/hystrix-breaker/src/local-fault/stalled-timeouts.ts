const stalled = new WeakSet<Error>()

/** Notes that this `TIMEOUT` came while the process itself stood still, and returns it. */
export function ofStalledProcess<E extends Error>(error: E): E {
  stalled.add(error)
  return error
}

/** Whether it is a `TIMEOUT` that says nothing of the upstream. */
export function cameWhileStalled(error: unknown): boolean {
  return error instanceof Error && stalled.has(error)
}
