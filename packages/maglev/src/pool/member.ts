import type { ConfiguredBackend, Health } from '../backend.ts'
import { type HealthFacts, stateOf } from './health.ts'

/** Whether new keys may go to a member, and among which of its level. */
export type Standing = 'healthy' | 'degraded' | 'out'

/** A backend of a pool and what the pool knows about it. */
export interface Member<T> {
  readonly id: string
  /** As configured; `health` is its state. */
  backend: ConfiguredBackend<T>
  facts: HealthFacts
  /** Leases that it holds. */
  active: number
  /** Part of its slots that it has while it starts slowly: above 0, to 1. */
  ramp: number
  standing: Standing
  /** Index among the members of its level that keys may go to; -1 where they may not. */
  position: number
  ejections: number
  lastError: unknown
}

export function newMember<T>(backend: ConfiguredBackend<T>, facts: HealthFacts): Member<T> {
  return {
    id: backend.id,
    backend: Object.freeze({ ...backend, health: stateOf(facts) }),
    facts,
    active: 0,
    ramp: 1,
    standing: 'out',
    position: -1,
    ejections: 0,
    lastError: undefined,
  }
}

/** Takes part in the counts of its level: it is meant to carry keys, whether it can now or not. */
export function takesPart({ facts, backend }: Member<unknown>): boolean {
  return facts.admin === 'enabled' && backend.weight > 0
}

export function isUp(state: Health): boolean {
  return state === 'healthy' || state === 'degraded'
}

/** Where a member stands; in panic every one that takes part counts as healthy. */
export function standingOf(member: Member<unknown>, panic: boolean): Standing {
  const state = member.backend.health
  if (!takesPart(member)) return 'out'
  if (panic) return 'healthy'
  return state === 'healthy' || state === 'degraded' ? state : 'out'
}

/** What the table is told: in panic that a backend which is down owns slots all the same. */
export function healthInTable({ backend, standing }: Member<unknown>): Health {
  return standing === 'healthy' && !isUp(backend.health) ? 'degraded' : backend.health
}

/** Whether a backend of the table is the one that the pool knows, weight and health apart. */
export function isSame(now: ConfiguredBackend, known: ConfiguredBackend): boolean {
  return (
    now.priority === known.priority &&
    now.address === known.address &&
    now.zone === known.zone &&
    now.hash === known.hash &&
    now.data === known.data
  )
}
