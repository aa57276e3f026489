import { expect, test } from 'vitest'
import { Maglev } from '../maglev.ts'
import { createHttpProxy } from './http-proxy.ts'

test.each([50, 1.5, '0.5ms', '2.5s'])(
  'durations that are no multiple of what node:http counts in are taken: %s',
  async (duration) => {
    await using proxy = createHttpProxy(new Maglev(['a:1']), {
      headersTimeout: duration,
      keepAliveTimeout: duration,
      connectTimeout: duration,
      timeout: duration,
      idleTimeout: duration,
      drainTimeout: duration,
    })
    expect(proxy.stats().open).toBe(0)
  },
)
