import { requireNoEviction } from './redis/doctor.ts'
import { openStore, type RedisStoreOptions } from './redis/open-store.ts'
import type { RedisStore } from './redis/redis-store.ts'

export type { IoredisClient, NodeRedisClient, RedisClient } from './redis/client.ts'
export type { DurabilityOptions } from './redis/durability.ts'
export type { RedisStoreOptions } from './redis/open-store.ts'
export type { RedisStore } from './redis/redis-store.ts'

/**
 * A store in Redis 6.2 or later. A record is one string. To claim it and to complete it are one command each: of Redis 7.0 a
 * `SET` for most claims, else a script; of one that was written in between, such as by a renewal, a completion takes two.
 * Whatever else is written takes two, and again where something else came first. A record that is
 * completed, or failed and left nothing, expires by itself, with its retention; one that is at work or uncertain never does,
 * since a key that vanishes is carried out again. For the same reason Redis must not evict: `maxmemory-policy` must be
 * `noeviction`.
 *
 * Redis is not strongly consistent: a failover may lose the last writes, and with them a claim or an answer; `waitReplicas` makes
 * that rarer.
 * `list` and `erase` of a scope go through all keys of the server.
 *
 * @throws IdempotencyError `invalid_option`, of `maxmemory-policy` as well; `store_unavailable`
 */
export async function redisStore(options: RedisStoreOptions): Promise<RedisStore> {
  const { store, port } = await openStore(options)
  await requireNoEviction(port)
  return store
}
