import { Breaker, type Execution } from './breaker.ts'
import type { BreakerOptions } from './breaker-options.ts'
import { CachedCalls } from './cached-calls.ts'
import type { CallContext, ExecuteOptions } from './call.ts'
import { InvalidOptionError, shown } from './errors.ts'
import { checkFunction, checkObject } from './option-checks.ts'

/** A function behind a breaker. */
export interface GuardedFunction<A extends unknown[], T> extends AsyncDisposable {
  (...args: A): Promise<T>
  readonly breaker: Breaker
  /** The same function with a signal that gives its calls up. */
  withSignal(signal: AbortSignal): (...args: A) => Promise<T>
  /** A call, with what happened in it. */
  start(...args: A): Execution<T>
  /** Forgets the answer under `key` in the request scope of its caller. True where there was one. */
  clearCache(key: string): boolean
}

export interface GuardOptions<A extends unknown[], T> extends BreakerOptions {
  /**
   * Answers in place of a call that failed, timed out or was refused; not of one that its caller gave up, nor of an
   * error that `isFailure` lets pass. It has no influence on the circuit. Of several, each is asked where the one
   * before it failed. `false`: none, on purpose; Hystrix then shows FALLBACK_DISABLED and not FALLBACK_MISSING.
   */
  readonly fallback?: GuardFallback<A, T> | readonly GuardFallback<A, T>[] | false
  /**
   * Calls of one {@link requestScope} with the same key have one answer, an error too. undefined for a call that shares
   * nothing.
   */
  readonly cacheKey?: (...args: A) => string | undefined
}

export type GuardFallback<A extends unknown[], T> = (error: unknown, ...args: A) => T | PromiseLike<T>

/**
 * A function with a breaker before it. Its last argument is the {@link CallContext}; callers leave it out.
 *
 * @throws InvalidOptionError naming the option.
 */
export function breaker<A extends unknown[], T>(
  work: (...args: [...A, context: CallContext]) => T | PromiseLike<T>,
  options?: GuardOptions<A, T>,
): GuardedFunction<A, T>
/** One that does not look at the context. */
export function breaker<A extends unknown[], T>(
  work: (...args: A) => T | PromiseLike<T>,
  options?: GuardOptions<A, T>,
): GuardedFunction<A, T>
export function breaker<A extends unknown[], T>(
  work: (...args: [...A, context: CallContext]) => T | PromiseLike<T>,
  options: GuardOptions<A, T> = {},
): GuardedFunction<A, T> {
  checkFunction('work', work)
  checkObject('options', options)
  const { fallback, cacheKey, ...rest } = options
  const own = new Breaker(rest, { requestCache: cacheKey !== undefined })
  const fallBack = readFallback(fallback)
  const keyOf = cacheKey === undefined ? undefined : checkFunction('cacheKey', cacheKey)
  const cache = keyOf && new CachedCalls<T>(own)
  const optionsOf = (args: A, signal: AbortSignal | undefined): ExecuteOptions<T> =>
    typeof fallBack === 'function'
      ? { signal, fallback: (error) => fallBack(error, ...args) }
      : { signal, fallback: fallBack }
  const start = (args: A, signal: AbortSignal | undefined): Execution<T> => {
    const bound = (context: CallContext): T | PromiseLike<T> => work(...args, context)
    if (cache === undefined || keyOf === undefined) return own.start(bound, optionsOf(args, signal))
    let key: string | undefined
    try {
      key = keyOf(...args)
    } catch (error) {
      return { answer: Promise.reject(error), events: [] }
    }
    return cache.start(key, (shared) => own.start(bound, optionsOf(args, shared)), signal)
  }
  const run = (args: A, signal: AbortSignal | undefined): Promise<T> => {
    if (cache !== undefined) return start(args, signal).answer
    return own.execute((context) => work(...args, context), optionsOf(args, signal))
  }
  return Object.assign((...args: A) => run(args, undefined), {
    breaker: own,
    withSignal:
      (signal: AbortSignal) =>
      (...args: A) =>
        run(args, signal),
    start: (...args: A) => start(args, undefined),
    clearCache: (key: string) => cache?.clear(key) === true,
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  })
}

function readFallback<A extends unknown[], T>(
  fallback: GuardOptions<A, T>['fallback'],
): GuardFallback<A, T> | false | undefined {
  if (fallback === undefined || fallback === false) return fallback
  if (typeof fallback === 'function') return fallback
  if (!Array.isArray(fallback) || fallback.length === 0)
    throw new InvalidOptionError(
      `fallback must be a function, a list of them or false, not ${shown(fallback)}`,
    )
  const chain = fallback.map((each, at): GuardFallback<A, T> => checkFunction(`fallback[${at}]`, each))
  return async (error, ...args) => {
    const errors: unknown[] = []
    for (const each of chain) {
      try {
        return await each(error, ...args)
      } catch (thrown) {
        errors.push(thrown)
      }
    }
    throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'the errors of all fallbacks')
  }
}
