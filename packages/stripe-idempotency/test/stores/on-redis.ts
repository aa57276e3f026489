import { redis, skipWithout, valkey } from '@loadbearing/harness/services'
import { describe } from 'vitest'

/** Tests for Redis, and again for Valkey, whose `SET` compares since 8.1, where it is there. */
export function onRedis(what: string, tests: (start: typeof redis) => void): void {
  describe.skipIf(skipWithout('redis'))(`${what}, on Redis`, () => {
    tests(redis)
  })
  describe.skipIf(skipWithout('valkey'))(`${what}, on Valkey`, () => {
    tests(valkey)
  })
}
