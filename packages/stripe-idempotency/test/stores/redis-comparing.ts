import type { RedisClient } from '@loadbearing/stripe-idempotency/redis'
import type { Redis } from 'ioredis'

const compareAndSet = `
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return nil end
return redis.call('SET', KEYS[1], ARGV[1], unpack(ARGV, 3))
`

/** A client of a server whose `SET` knows `IFEQ`, as those of Redis 8.4 and Valkey 8.1 do, made of one of any server. */
export function comparing(client: Redis): RedisClient {
  return new Proxy(client, {
    get(target, property) {
      const found: unknown = Reflect.get(target, property)
      if (property !== 'callBuffer') return typeof found === 'function' ? found.bind(target) : found
      return (command: string, args: (string | Buffer)[]): Promise<unknown> => {
        const [key = '', value = '', option, old = '', ...rest] = args
        return command === 'SET' && option === 'IFEQ'
          ? target.callBuffer('EVAL', [compareAndSet, 1, key, value, old, ...rest])
          : target.callBuffer(command, args)
      }
    },
  })
}

/** Whether its server does so by itself. */
export async function compares(client: Redis): Promise<boolean> {
  return client.call('SET', 'nothing', 'x', 'IFEQ', 'y').then(
    () => true,
    () => false,
  )
}
