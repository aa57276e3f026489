import { Bulkhead } from '../../bulkhead.ts'
import { CircuitBreakerError } from './errors.ts'
import { limit } from './timers.ts'

export interface Semaphore {
  /** Places that are free. */
  readonly count: number
  /** Takes a place, if one is free. */
  test(): boolean
  /** Waits for a place; what comes back gives it up. Rejected with `ETIMEDOUT` after `timeout` milliseconds, if given. */
  take(timeout?: number): Promise<() => void>
  release(): void
}

/** `places` at once. */
export function semaphore(places: number): Semaphore {
  const bulkhead = new Bulkhead<() => void>(places, Infinity)
  const release = (): void => {
    if (bulkhead.running > 0) bulkhead.leave()?.()
  }
  return {
    get count() {
      return places - bulkhead.running
    },
    test: () => bulkhead.enter(),
    take: (timeout) =>
      new Promise((resolve, reject) => {
        const entered = (): void => {
          cancel?.()
          resolve(release)
        }
        const cancel = timeout
          ? limit(timeout, () => {
              if (bulkhead.remove(entered))
                reject(new CircuitBreakerError('ETIMEDOUT', `Timed out after ${timeout}ms`))
            })
          : undefined
        if (bulkhead.enter()) entered()
        else bulkhead.wait(entered)
      }),
    release,
  }
}
