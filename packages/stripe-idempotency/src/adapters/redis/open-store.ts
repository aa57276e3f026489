import { IdempotencyError, shown } from '../../errors.ts'
import type { Clock } from '../../ports.ts'
import { type Port, portOf, type RedisClient } from './client.ts'
import { type DurabilityOptions, durabilityOf, requireDurability } from './durability.ts'
import { RedisStore } from './redis-store.ts'

/** Options of `redisStore`. */
export interface RedisStoreOptions extends DurabilityOptions {
  /** Of `ioredis` (a `Redis` or a `Cluster`) or of `redis`, connected. It stays open when the store is disposed of. */
  readonly client: RedisClient
  /** What its keys begin with, up to 100 of A-Z, a-z, 0-9, `:`, `_`, `.` and `-`. Default: `idempotency:`. */
  readonly prefix?: string
  /**
   * For tests that move time; then nothing expires by itself. Default: the server's; another one for each process would
   * let them take leases from each other.
   */
  readonly clock?: Pick<Clock, 'now'>
}

/**
 * A store, whatever the server's settings are, and what it asks it through.
 *
 * @throws IdempotencyError `invalid_option`, `store_unavailable`
 */
export async function openStore(
  options: RedisStoreOptions,
): Promise<{ readonly store: RedisStore; readonly port: Port }> {
  const { client, prefix = 'idempotency:', clock = null } = options
  if (typeof prefix !== 'string' || !/^[\w:.-]{0,100}$/.test(prefix)) {
    throw new IdempotencyError(
      'invalid_option',
      `prefix must be up to 100 letters, digits, ':', '_', '.' and '-', not ${shown(prefix)}`,
    )
  }
  const durability = durabilityOf(options)
  const port = portOf(client)
  if (durability !== undefined) await requireDurability(port, durability)
  return { store: new RedisStore(port, prefix, clock, durability), port }
}
