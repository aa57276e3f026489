import type { Health } from '../backend.ts'
import type { Pool } from '../pool/pool.ts'
import type { BackendStatus, PoolStats } from '../pool/status.ts'

/** What is measured of a pool, before any system's names and formats. */
export interface PoolMetric {
  /** Words between dots: `maglev.backend.leases`. */
  readonly name: string
  readonly help: string
  /** A counter only grows while its pool lives. */
  readonly type: 'counter' | 'gauge'
  read(snapshot: PoolSnapshot): Sample[]
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A pool at one moment. */
export interface PoolSnapshot {
  readonly states: ReadonlyMap<string, BackendStatus>
  readonly stats: PoolStats
  /** Slots of each backend; undefined with several priorities, each of which has a table of its own. */
  readonly slots: ReadonlyMap<string, number> | undefined
}

const healths: readonly Health[] = ['healthy', 'degraded', 'unhealthy', 'draining', 'ejected', 'disabled']

export const poolMetrics: readonly PoolMetric[] = [
  {
    name: 'maglev.backend.state',
    help: 'Whether the backend is in the state of the label: 1 or 0',
    type: 'gauge',
    read: ({ states }) =>
      [...states].flatMap(([backend, status]) =>
        healths.map((state) => ({ labels: { backend, state }, value: status.state === state ? 1 : 0 })),
      ),
  },
  ofBackends('leases', 'gauge', 'Leases of the backend now', ({ active }) => active),
  ofBackends(
    'weight',
    'gauge',
    'Weight of the backend, slow start included',
    ({ effectiveWeight }) => effectiveWeight,
  ),
  ofBackends('flows', 'gauge', 'Tracked flows of the backend', ({ flows }) => flows),
  ofBackends(
    'ejections',
    'counter',
    'Times that outlier detection took the backend out',
    ({ ejections }) => ejections,
  ),
  {
    name: 'maglev.backend.slots',
    help: 'Slots of the table that the backend owns',
    type: 'gauge',
    read: ({ slots }) => [...(slots ?? [])].map(([backend, value]) => ({ labels: { backend }, value })),
  },
  ofPool('leases', 'gauge', 'Leases now', ({ active }) => active),
  ofPool('acquired', 'counter', 'Leases handed out', ({ acquired }) => acquired),
  ofPool('refused', 'counter', 'Calls for which there was no backend', ({ refused }) => refused),
  ofPool(
    'overflowed',
    'counter',
    'Keys sent on because their owner was full',
    ({ overflowed }) => overflowed,
  ),
  ofPool('ejections', 'counter', 'Ejections by outlier detection', ({ ejections }) => ejections),
  ofPool('probes', 'counter', 'Active checks', ({ probes }) => probes),
  ofPool('probe_failures', 'counter', 'Active checks that failed', ({ probeFailures }) => probeFailures),
  ofPool('rebuilds', 'counter', 'Tables put in force', ({ rebuilds }) => rebuilds),
  ofPool('tracked_flows', 'gauge', 'Tracked flows', ({ flows }) => flows?.size),
  ofPool('tracked_flows_capacity', 'gauge', 'Flows that can be tracked', ({ flows }) => flows?.capacity),
  ofPool('tracked_flow_hits', 'counter', 'Keys that followed their tracked flow', ({ flows }) => flows?.hits),
  ofPool('tracked_flow_misses', 'counter', 'Keys of flows not tracked before', ({ flows }) => flows?.misses),
  ofPool('tracked_flows_full', 'counter', 'Flows not tracked for want of room', ({ flows }) => flows?.full),
  ofLevels('load', 'Part of the keys that the priority gets, 0 to 1', ({ load }) => load / 100),
  ofLevels('panic', 'Whether the priority uses all its backends: 1 or 0', ({ panic }) => (panic ? 1 : 0)),
]

export function snapshotOf(pool: Pool): PoolSnapshot {
  const stats = pool.stats()
  return { states: pool.states(), stats, slots: stats.levels.length > 1 ? undefined : slotsOf(pool) }
}

function slotsOf({ maglev }: Pool): ReadonlyMap<string, number> {
  const ids = maglev.backends.map(({ id }) => id)
  const slots = new Map(ids.map((id) => [id, 0]))
  for (const owner of maglev.owners()) {
    const id = ids[owner]
    if (id !== undefined) slots.set(id, (slots.get(id) ?? 0) + 1)
  }
  return slots
}

function ofBackends(
  name: string,
  type: PoolMetric['type'],
  help: string,
  value: (status: BackendStatus) => number,
): PoolMetric {
  return {
    name: `maglev.backend.${name}`,
    help,
    type,
    read: ({ states }) =>
      [...states].map(([backend, status]) => ({ labels: { backend }, value: value(status) })),
  }
}

function ofPool(
  name: string,
  type: PoolMetric['type'],
  help: string,
  value: (stats: PoolStats) => number | undefined,
): PoolMetric {
  return {
    name: `maglev.${name}`,
    help,
    type,
    read({ stats }) {
      const found = value(stats)
      return found === undefined ? [] : [{ labels: {}, value: found }]
    },
  }
}

function ofLevels(
  name: string,
  help: string,
  value: (level: PoolStats['levels'][number]) => number,
): PoolMetric {
  return {
    name: `maglev.priority.${name}`,
    help,
    type: 'gauge',
    read: ({ stats }) =>
      stats.levels.map((level) => ({ labels: { priority: String(level.priority) }, value: value(level) })),
  }
}
