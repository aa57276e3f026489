import { IdempotencyError, shown } from '../errors.ts'
import type { Clock } from '../ports.ts'
import { portOf, type RedisClient } from './redis/client.ts'
import { requireNoEviction } from './redis/doctor.ts'
import { RedisStore } from './redis/redis-store.ts'

export type { IoredisClient, NodeRedisClient, RedisClient } from './redis/client.ts'
export type { RedisStore } from './redis/redis-store.ts'

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
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
 * A store in Redis 6.2 or later. A record is one hash, and every method one script, but for the second one that takes a
 * record over. A completed record expires by itself, with its retention; one that is claimed or uncertain never does, since a
 * key that vanishes is carried out again. For the same reason Redis must not evict: `maxmemory-policy` must be `noeviction`.
 *
 * Redis is not strongly consistent: a failover may lose the last writes, and with them a claim or an answer.
 * `list` and `erase` of a scope go through all keys of the server.
 *
 * @throws IdempotencyError `invalid_option`, of `maxmemory-policy` as well; `store_unavailable`
 */
export async function redisStore(options: RedisStoreOptions): Promise<RedisStore> {
  const { client, prefix = 'idempotency:', clock = null } = options
  if (typeof prefix !== 'string' || !/^[\w:.-]{0,100}$/.test(prefix)) {
    throw new IdempotencyError(
      'invalid_option',
      `prefix must be up to 100 letters, digits, ':', '_', '.' and '-', not ${shown(prefix)}`,
    )
  }
  const port = portOf(client)
  await requireNoEviction(port)
  return new RedisStore(port, prefix, clock)
}
