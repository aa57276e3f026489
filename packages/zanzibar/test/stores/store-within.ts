import type { Bounds } from '../../src/adapters/postgres/reading.ts'
import { migrate } from '../../src/adapters/postgres/schema.ts'
import { type PostgresPool, PostgresStore, type PostgresStoreOptions } from '../../src/adapters/postgres.ts'
import { realClock, realRandom } from '../../src/ports.ts'

/** A store that brings no more than that along, on a database of its own. */
export async function storeWithin(
  pool: PostgresPool,
  bounds: Bounds,
  {
    history = 3_600_000,
    clock = realClock,
    time,
  }: Partial<Pick<PostgresStoreOptions, 'history' | 'clock' | 'time'>> = {},
): Promise<PostgresStore> {
  const settings = { history, poll: 1000, clock, time, random: realRandom }
  return new PostgresStore({ ...settings, pool, bounds }, await migrate(pool, realRandom))
}
