import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { createPool } from '../../src/index.ts'
import { fail, ids, virtualMaglev } from './virtual.ts'

const [a = ''] = ids(3)

test('a step of the wall clock by an hour moves neither ejections nor tracked flows nor slow starts', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(10))
    await using pool = createPool(lb, {
      clock,
      random,
      outlier: true,
      slowStart: '60s',
      tracking: { capacity: 16, ttl: '20s' },
    })
    const log: [number, string][] = []
    pool.on('state', ({ to }) => log.push([clock.monotonic(), to]))
    pool.acquire('k', { flow: 'flow' })[Symbol.dispose]()
    fail(pool, a, 5, clock)
    for (const step of [3_600_000, -7_200_000, 3_600_000]) {
      clock.jump(step)
      await clock.sleep(5000)
    }
    expect(pool.stats().flows?.size).toBeGreaterThan(0)
    const hits = pool.stats().flows?.hits ?? 0
    pool.acquire('k', { flow: 'flow' })[Symbol.dispose]()
    expect(pool.stats().flows?.hits).toBe(hits + 1)
    await clock.sleep(16_000)
    expect(log).toEqual([
      [0, 'ejected'],
      [30_000, 'healthy'],
    ])
    clock.jump(3_600_000)
    await clock.sleep(29_100)
    await pool.settled()
    expect(pool.states().get(a)?.effectiveWeight).toBe(0.5)
  }))
