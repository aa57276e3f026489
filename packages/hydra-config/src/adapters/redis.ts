import { Notices } from '../source/notices.ts'
import {
  checkName,
  nothingPublished,
  type PublishedSource,
  packFiles,
  storeFailed,
  unpackFiles,
} from '../source/published.ts'
import {
  type IoredisClient,
  type IoredisSubscriber,
  type NodeRedisClient,
  type NodeRedisSubscriber,
  type RedisClient,
  redisPort,
} from './redis-client.ts'

export type {
  IoredisClient,
  IoredisSubscriber,
  NodeRedisClient,
  NodeRedisSubscriber,
  PublishedSource,
  RedisClient,
}

/** Options of {@link fromRedis}. */
export interface RedisOptions {
  /** Of several folders in one database: the key is `hydra-config:{name}`. Default `default`. */
  readonly name?: string
}

const publishScript = `
redis.call('HSET', KEYS[1], 'files', ARGV[1])
local revision = redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('PUBLISH', KEYS[1], revision)
return revision`

/**
 * A folder of configs in Redis: a hash of `revision` and `files`. `watch` subscribes on a duplicate of the client to
 * the channel of the key's name, on which `publish` tells.
 *
 * @param client of ioredis or node-redis, connected; stays yours, nothing here ends it
 * @throws {HydraConfigError} `INVALID_OPTION`; of `files()`: `SOURCE_NOT_FOUND`, `SOURCE_READ`
 */
export function fromRedis(client: RedisClient, options: RedisOptions = {}): PublishedSource {
  const port = redisPort(client)
  const key = `hydra-config:{${checkName('name', options.name ?? 'default')}}`
  const path = `redis://${key}`
  const failed = (cause: unknown): never => {
    throw storeFailed(path, cause)
  }
  return {
    path,
    files: async () => {
      const packed = await port.field(key, 'files').catch(failed)
      return typeof packed === 'string' ? unpackFiles(packed, path) : nothingPublished(path)
    },
    publish: async (files) => {
      const packed = packFiles(files)
      return Number(await port.run(publishScript, key, packed).catch(failed))
    },
    async *watch(signal) {
      const notices = new Notices()
      const subscription = await port.subscribe(key, notices, signal).catch(failed)
      try {
        notices.tell()
        yield* notices.until(signal)
      } catch (cause) {
        failed(cause)
      } finally {
        subscription.close()
      }
    },
  }
}
