import type { SimulatedClock } from '@loadbearing/harness'
import type { Backend } from '../../src/backend.ts'
import { Maglev } from '../../src/maglev.ts'
import type { MaglevOptions } from '../../src/options.ts'

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
