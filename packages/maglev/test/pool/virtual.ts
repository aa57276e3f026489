import type { SimulatedClock } from '@loadbearing/harness'
import type { Backend } from '../../src/backend.ts'
import { Maglev } from '../../src/maglev.ts'
import type { MaglevOptions } from '../../src/options.ts'
import type { Pool } from '../../src/pool/pool.ts'
import type { Prober } from '../../src/pool/probe.ts'
import type { BackendStatus } from '../../src/pool/status.ts'

/** A table that is built in slices on virtual time. */
export function virtualMaglev(
  clock: SimulatedClock,
  backends: Iterable<string | Backend>,
  options: MaglevOptions = {},
): Maglev {
  return new Maglev(backends, {
    tableSize: 1021,
    ...options,
    scheduler: { now: () => clock.monotonic(), defer: (task) => void clock.setTimeout(task, 0) },
  })
}

export function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `10.0.0.${index}:80`)
}

export function states(pool: Pool): Record<string, BackendStatus['state']> {
  return Object.fromEntries([...pool.states()].map(([id, { state }]) => [id, state]))
}

/** The part of the slots that is a backend's. */
export function share(lb: Maglev, id: string): number {
  const index = lb.backends.findIndex((backend) => backend.id === id)
  return lb.owners().filter((owner) => owner === index).length / lb.tableSize
}

/** Which backends keys 0 to 999 go to. */
export function reached(pool: Pool): Set<string> {
  const found = new Set<string>()
  for (let key = 0; key < 1000; key++) {
    using lease = pool.acquire(key)
    found.add(lease.id)
  }
  return found
}

/** Backends that are down fail their probes at once. */
export function world(): { down: Set<string>; prober: Prober } {
  const down = new Set<string>()
  return {
    down,
    prober: ({ id }) => (down.has(id) ? Promise.reject(new Error('refused')) : Promise.resolve('healthy')),
  }
}

export function fail(pool: Pool, id: string, times: number, clock?: SimulatedClock): void {
  let left = times
  for (let key = 0; left > 0; key++) {
    using lease = pool.acquire(key, { flow: `${key}:${clock?.monotonic()}` })
    if (lease.id !== id) continue
    lease.report(503)
    left--
  }
}
