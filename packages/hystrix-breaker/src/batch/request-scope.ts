import { AsyncLocalStorage } from 'node:async_hooks'

/** One request. What is remembered for it hangs on this object, and goes with it. */
export interface RequestScope {
  readonly id: symbol
}

const current = new AsyncLocalStorage<RequestScope | undefined>()

/**
 * Runs `run` as one request: whatever it calls, awaits or leaves running is inside the scope, and shares request caches
 * and batches. A scope inside a scope is a request of its own. Hystrix's HystrixRequestContext; here nothing has to be
 * shut down, for what the scope holds is given free with the last callback that can see it.
 */
export function requestScope<T>(run: () => T): T {
  return current.run({ id: Symbol('request') }, run)
}

/** The scope of the caller; undefined outside of {@link requestScope}. */
export function currentRequestScope(): RequestScope | undefined {
  return current.getStore()
}

/** Runs `run` in `scope`, or in none. */
export function insideRequestScope<T>(scope: RequestScope | undefined, run: () => T): T {
  return current.run(scope, run)
}
