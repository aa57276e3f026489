import { once } from 'node:events'
import { createServer } from 'node:http'
import {
  circuitBreaker,
  collapser,
  exponential,
  hedge,
  limit,
  pipeline,
  RetryBudget,
  retry,
  timeout,
  timeWindow,
} from '@loadbearing/hystrix-breaker'
import { expect, test } from 'vitest'

test("the specification's sketch of a pipeline runs, on real HTTP", async () => {
  let calls = 0
  const server = createServer((_, response) => {
    response.statusCode = 200
    if (++calls === 1) response.destroy()
    else response.end('hello')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
  const budget = new RetryBudget()
  try {
    await using api = pipeline(
      retry({ attempts: 3, backoff: exponential({ jitter: 'full' }), budget }),
      hedge({ delay: 'p95' }),
      circuitBreaker({ window: timeWindow('10s', 10), slow: { over: '800ms', rate: 0.5 }, probes: 3 }),
      limit.gradient2(),
      timeout('1s'),
    )
    const r = await api.run((ctx) => fetch(url, { signal: ctx.signal }))
    expect(await r.text()).toBe('hello')
    expect(calls).toBe(2)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test("the specification's sketch of a collapser runs", async () => {
  const db = { users: (ids: string[]) => Promise.resolve(ids.map((id) => ({ id }))) }
  await using getUser = collapser({ window: '10ms', max: 100, load: (ids: string[]) => db.users(ids) })
  expect(await Promise.all([getUser('a'), getUser('b')])).toEqual([{ id: 'a' }, { id: 'b' }])
})
