export { type AttachedMaglev, attach } from './attach.ts'
export type { Backend, ConfiguredBackend, Health } from './backend.ts'
export type { Change } from './configuration.ts'
export type { Duration } from './duration.ts'
export { isMaglevError, MaglevError, type MaglevErrorCode } from './errors.ts'
export type { ErrorEvent, HealthEvent, MaglevEvents, RebuildEvent } from './events.ts'
export type { Explanation } from './explain.ts'
export type { Key } from './key-hash.ts'
export { Maglev, type Plan, type TableIdentity } from './maglev.ts'
export type { ModeName } from './mode/mode.ts'
export type { KeyHashName, MaglevOptions, Rebuild } from './options.ts'
export type { BackendMove, Movement } from './plan.ts'
export { type Address, addressOf } from './pool/address.ts'
export type { Verdict } from './pool/health.ts'
export type { HttpProbeOptions } from './pool/http-probe.ts'
export type { AcquireOptions, CallResult, Lease } from './pool/lease.ts'
export type { EjectionReason, OutlierOptions } from './pool/outlier.ts'
export { createPool, type Pool } from './pool/pool.ts'
export type {
  DrainedEvent,
  EjectedEvent,
  PanicEvent,
  PoolEvents,
  PoolRebuildEvent,
  ProbeEvent,
  StateEvent,
} from './pool/pool-events.ts'
export type {
  CheckTiming,
  CustomCheckOptions,
  HttpCheckOptions,
  PoolOptions,
  TcpCheckOptions,
  TrackingOptions,
} from './pool/pool-options.ts'
export type { Prober } from './pool/probe.ts'
export type { SlowStartOptions } from './pool/slow-start.ts'
export type { BackendStatus, LevelStats, PoolStats } from './pool/status.ts'
export type { TcpProbeOptions } from './pool/tcp-probe.ts'
export type { Clock, Random, Scheduler } from './ports.ts'
export {
  type CookieHashPolicy,
  type FilterStateHashPolicy,
  type HashPolicy,
  type HeaderHashPolicy,
  hashPolicies,
  type QueryParameterHashPolicy,
  type RoutedRequest,
  type RouteHash,
  type SocketAddress,
  type SourceAddressHashPolicy,
} from './route/hash-policy.ts'
export { prefixKey } from './route/prefix-key.ts'
export type { HashedTable } from './route/value-hash.ts'
export type { SharedHandle } from './shared.ts'
export { isPrime, nextPrime } from './table/prime.ts'
