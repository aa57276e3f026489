import type { ConfiguredBackend, Health } from '../backend.ts'
import type { Verdict } from './health.ts'
import type { Member } from './member.ts'

/** What a pool knows of a backend. */
export interface BackendStatus<T = unknown> {
  readonly backend: ConfiguredBackend<T>
  readonly state: Health
  /** What the state follows from. */
  readonly reasons: {
    /** `pending` before the first active check. */
    readonly check: Verdict | 'pending'
    readonly ejected: boolean
    readonly admin: 'enabled' | 'draining' | 'disabled'
  }
  /** Leases. */
  readonly active: number
  readonly weight: number
  /** The weight that it has while it starts slowly. */
  readonly effectiveWeight: number
  /** Tracked flows. */
  readonly flows: number
  /** How many times outlier detection took it out. */
  readonly ejections: number
  /** Why the last failed probe failed. */
  readonly lastError: unknown
}

/** A level of priority. */
export interface LevelStats {
  readonly priority: number
  /** Percent of the keys that it gets. */
  readonly load: number
  readonly panic: boolean
  /** Backends that are neither disabled, draining nor of weight 0. */
  readonly total: number
  readonly healthy: number
  readonly degraded: number
}

/** Tracked flows. */
export interface FlowStats {
  readonly size: number
  readonly capacity: number
  readonly hits: number
  readonly misses: number
  /** Calls whose flow was not tracked, for want of room or because it has more than 128 bytes. */
  readonly full: number
}

/** Counters since the pool was made, and what is now. */
export interface PoolStats {
  /** Leases now. */
  readonly active: number
  readonly acquired: number
  /** Calls of `acquire` for which there was no backend. */
  readonly refused: number
  /** Keys sent on because their owner was full. */
  readonly overflowed: number
  readonly ejections: number
  readonly probes: number
  readonly probeFailures: number
  /** Tables put in force. */
  readonly rebuilds: number
  /** Undefined without the option `tracking`. */
  readonly flows: FlowStats | undefined
  /** Most preferred first. */
  readonly levels: readonly LevelStats[]
}

export function statusOf<T>(member: Member<T>, checked: boolean, flows: number): BackendStatus<T> {
  const { backend, facts, active, ramp, ejections, lastError } = member
  return {
    backend,
    state: backend.health,
    reasons: {
      check: checked && facts.contradictions === undefined ? 'pending' : facts.verdict,
      ejected: facts.ejected,
      admin: facts.admin,
    },
    active,
    weight: backend.weight,
    effectiveWeight: backend.weight * ramp,
    flows,
    ejections,
    lastError,
  }
}
