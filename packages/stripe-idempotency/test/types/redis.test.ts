import type { RedisClient } from '@loadbearing/stripe-idempotency/redis'
import type { Cluster, Redis } from 'ioredis'
import type { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import type { createClient } from 'redis'
import type { createClient as createClient5 } from 'redis5'
import { expectTypeOf, test } from 'vitest'

test('clients of ioredis and node-redis, 5 and 6, are taken', () => {
  expectTypeOf<Redis | Cluster>().toExtend<RedisClient>()
  expectTypeOf<Redis5 | Cluster5>().toExtend<RedisClient>()
  expectTypeOf<ReturnType<typeof createClient>>().toExtend<RedisClient>()
  expectTypeOf<ReturnType<typeof createClient5>>().toExtend<RedisClient>()
})
