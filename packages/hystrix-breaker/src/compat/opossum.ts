export type { Aborter } from './opossum/abort-signals.ts'
export {
  type Action,
  CircuitBreaker,
  CircuitBreaker as default,
  // What `require` gives.
  CircuitBreaker as 'module.exports',
  type Firable,
} from './opossum/circuit-breaker.ts'
export type { CircuitBreakerError, CircuitBreakerErrorCode } from './opossum/errors.ts'
export type { CircuitBreakerEvents } from './opossum/events.ts'
export type { CacheTransport, MemoryCache } from './opossum/memory-cache.ts'
export type { CoalesceReset, Hook, Options, Settings, State } from './opossum/options.ts'
export type { Semaphore } from './opossum/semaphore.ts'
export type { Bucket, Counter, Stats, Status, StatusOptions } from './opossum/status.ts'
