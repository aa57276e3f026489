/** What listeners are given. Latencies are whole milliseconds. An error is whatever the action rejected with. */
export type CircuitBreakerEvents<TI extends unknown[], TR> = {
  fire: [args: TI]
  success: [result: TR, latencyMs: number]
  failure: [error: Error, latencyMs: number, args: TI]
  timeout: [error: Error, latencyMs: number, args: TI]
  reject: [error: Error]
  semaphoreLocked: [error: Error, latencyMs: number]
  fallback: [result: unknown, error: Error]
  open: []
  close: []
  halfOpen: [resetTimeout: number]
  cacheHit: []
  cacheMiss: []
  coalesceCacheHit: []
  coalesceCacheMiss: []
  healthCheckFailed: [error: Error]
  shutdown: []
}

/** Those that opossum counts by listeners of its own, in their order: plugins ask for them by `eventNames`. */
export const countedEvents: readonly (keyof CircuitBreakerEvents<never, never>)[] = [
  'success',
  'failure',
  'fallback',
  'timeout',
  'fire',
  'reject',
  'cacheHit',
  'cacheMiss',
  'coalesceCacheHit',
  'coalesceCacheMiss',
  'open',
  'close',
  'semaphoreLocked',
]

/** Runs a listener or a hook. What it throws is its author's: it is thrown where nothing is left half-way. */
export function guard<T>(hook: () => T): T | undefined {
  try {
    return hook()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
    return undefined
  }
}
