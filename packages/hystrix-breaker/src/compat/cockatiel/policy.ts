import type { IBackoffFactory } from './backoff.ts'
import { BulkheadPolicy } from './bulkhead-policy.ts'
import { CircuitBreakerPolicy, type ICircuitBreakerOptions } from './circuit-breaker-policy.ts'
import { ConstantBackoff } from './constant-backoff.ts'
import { FallbackPolicy } from './fallback-policy.ts'
import type { IPolicy } from './guarded-policy.ts'
import { NoopPolicy } from './noop-policy.ts'
import { OutcomeFilter } from './outcome-filter.ts'
import { type IRetryBackoffContext, RetryPolicy } from './retry-policy.ts'
import { TimeoutPolicy, type TimeoutStrategy } from './timeout-policy.ts'

type Constructor<T> = new (...args: never) => T

export interface IBasePolicyOptions {
  errorFilter: (error: unknown) => boolean
  resultFilter: (result: unknown) => boolean
}

/** Which errors and results are failures. */
export class Policy {
  readonly options: Readonly<IBasePolicyOptions>

  constructor(options: Readonly<IBasePolicyOptions>) {
    this.options = options
  }

  /** Errors of `cls` too, where `predicate` has nothing against it. */
  orType<T>(cls: Constructor<T>, predicate?: (error: T) => boolean): Policy {
    return this.orWhen(ofType(cls, predicate))
  }

  /** Errors that `predicate` is true of, too. */
  orWhen(predicate: (error: unknown) => boolean): Policy {
    const { errorFilter, resultFilter } = this.options
    return new Policy({ errorFilter: (error) => errorFilter(error) || predicate(error), resultFilter })
  }

  /** Results that `predicate` is true of, too. */
  orWhenResult(predicate: (result: unknown) => boolean): Policy {
    const { errorFilter, resultFilter } = this.options
    return new Policy({ errorFilter, resultFilter: (result) => resultFilter(result) || predicate(result) })
  }

  /** Results of `cls` too, where `predicate` has nothing against it. */
  orResultType<T>(cls: Constructor<T>, predicate?: (result: T) => boolean): Policy {
    return this.orWhenResult(ofType(cls, predicate))
  }
}

const always = (): boolean => true
const never = (): boolean => false

export const noop: NoopPolicy = new NoopPolicy()

/** All errors. */
export const handleAll: Policy = new Policy({ errorFilter: always, resultFilter: never })

/** See {@link Policy.orType}. */
export function handleType<T>(cls: Constructor<T>, predicate?: (error: T) => boolean): Policy {
  return new Policy({ errorFilter: ofType(cls, predicate), resultFilter: never })
}

/** See {@link Policy.orWhen}. */
export function handleWhen(predicate: (error: unknown) => boolean): Policy {
  return new Policy({ errorFilter: predicate, resultFilter: never })
}

/** See {@link Policy.orResultType}. */
export function handleResultType<T>(cls: Constructor<T>, predicate?: (result: T) => boolean): Policy {
  return new Policy({ errorFilter: never, resultFilter: ofType(cls, predicate) })
}

/** See {@link Policy.orWhenResult}. */
export function handleWhenResult(predicate: (result: unknown) => boolean): Policy {
  return new Policy({ errorFilter: never, resultFilter: predicate })
}

/** `limit` calls at once, and `queue` more that wait. */
export function bulkhead(limit: number, queue = 0): BulkheadPolicy {
  return new BulkheadPolicy(limit, queue)
}

/** Gives calls up after `duration` milliseconds. */
export function timeout(
  duration: number,
  strategyOrOpts: TimeoutStrategy | { strategy: TimeoutStrategy; abortOnReturn: boolean },
): TimeoutPolicy {
  return new TimeoutPolicy(
    duration,
    typeof strategyOrOpts === 'string' ? { strategy: strategyOrOpts } : strategyOrOpts,
  )
}

/** Tries again, by default at once and without end. */
export function retry(
  policy: Policy,
  opts: { maxAttempts?: number; backoff?: IBackoffFactory<IRetryBackoffContext<unknown>> },
): RetryPolicy {
  const { backoff = new ConstantBackoff(0), maxAttempts = Infinity } = opts
  return new RetryPolicy({ backoff, maxAttempts }, filterOf(policy))
}

/** A circuit, to be shared by all calls of what it guards. */
export function circuitBreaker(policy: Policy, opts: ICircuitBreakerOptions): CircuitBreakerPolicy {
  return new CircuitBreakerPolicy(opts, filterOf(policy))
}

/** Another value where a call fails: the value, or a function that makes it. */
export function fallback<R>(policy: Policy, valueOrFactory: (() => Promise<R> | R) | R): FallbackPolicy<R> {
  return new FallbackPolicy(
    filterOf(policy),
    isFactory(valueOrFactory) ? valueOrFactory : () => valueOrFactory,
  )
}

/** A decorator: the method goes through `policy`, and gets the context after its own arguments. */
export function usePolicy(
  policy: IPolicy,
): (_target: unknown, _key: string, descriptor: PropertyDescriptor) => void {
  return (_target, _key, descriptor) => {
    const inner: unknown = descriptor.value
    if (typeof inner !== 'function') throw new TypeError(`usePolicy decorates methods, not ${typeof inner}`)
    descriptor.value = function (this: unknown, ...args: unknown[]): Promise<unknown> {
      const last = args.at(-1)
      const signal = last instanceof AbortSignal ? last : undefined
      const own = signal === undefined ? args : args.slice(0, -1)
      return policy.execute((context): unknown => Reflect.apply(inner, this, [...own, context]), signal)
    }
  }
}

function filterOf({ options }: Policy): OutcomeFilter {
  return new OutcomeFilter(options.errorFilter, options.resultFilter)
}

function ofType<T>(
  cls: Constructor<T>,
  predicate: ((value: T) => boolean) | undefined,
): (value: unknown) => boolean {
  return (value) => value instanceof cls && (predicate === undefined || predicate(value))
}

function isFactory<R>(value: (() => Promise<R> | R) | R): value is () => Promise<R> | R {
  return typeof value === 'function'
}
