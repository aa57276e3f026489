import type { Health } from '../backend.ts'

/** What the active check last decided. */
export type Verdict = 'healthy' | 'degraded' | 'unhealthy'

/** What is known about a backend, each fact from its own source. Its state follows from them; see `stateOf`. */
export interface HealthFacts {
  readonly verdict: Verdict
  /** Results in a row that contradict the verdict; undefined before the first result. */
  readonly contradictions: number | undefined
  readonly ejected: boolean
  readonly admin: 'enabled' | 'draining' | 'disabled'
}

/** What can become known about a backend. */
export type HealthFact =
  | { readonly type: 'checked'; readonly result: Verdict }
  | { readonly type: 'ejected' | 'returned' }
  | { readonly type: 'drain' | 'disable' | 'enable' }

/** Results in a row that change a verdict. The first result of all decides alone. */
export interface Thresholds {
  readonly healthy: number
  readonly unhealthy: number
}

/** The facts about a backend that was configured with `health`; `verdict` holds until its first check. */
export function initialFacts(health: Health, verdict: Verdict | undefined): HealthFacts {
  const given = health === 'degraded' ? 'degraded' : isOut(health) ? 'unhealthy' : 'healthy'
  return {
    verdict: verdict ?? given,
    contradictions: undefined,
    ejected: false,
    admin: health === 'draining' || health === 'disabled' ? health : 'enabled',
  }
}

function isOut(health: Health): boolean {
  return health === 'unhealthy' || health === 'ejected'
}

/** The facts after one more became known. The only place where they change. */
export function learn(facts: HealthFacts, fact: HealthFact, thresholds: Thresholds): HealthFacts {
  if (fact.type === 'checked') return check(facts, fact.result, thresholds)
  if (fact.type === 'ejected' || fact.type === 'returned')
    return { ...facts, ejected: fact.type === 'ejected' }
  return { ...facts, admin: decisions[fact.type] }
}

const decisions = { drain: 'draining', disable: 'disabled', enable: 'enabled' } as const

function check(facts: HealthFacts, result: Verdict, thresholds: Thresholds): HealthFacts {
  const { verdict, contradictions } = facts
  const up = verdict !== 'unhealthy'
  const passed = result !== 'unhealthy'
  // Degraded or not is the backend's own word, which needs no second one.
  if (contradictions === undefined || up === passed) return { ...facts, verdict: result, contradictions: 0 }
  const enough = up ? thresholds.unhealthy : thresholds.healthy
  if (contradictions + 1 < enough) return { ...facts, contradictions: contradictions + 1 }
  return { ...facts, verdict: result, contradictions: 0 }
}

/** The state that follows from the facts: what people decided first, then what checks say, then what traffic showed. */
export function stateOf({ admin, verdict, ejected }: HealthFacts): Health {
  if (admin !== 'enabled') return admin
  if (verdict === 'unhealthy') return 'unhealthy'
  return ejected ? 'ejected' : verdict
}
