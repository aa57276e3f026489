import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { createPool } from '../../src/index.ts'
import { fail, ids, reached, states, virtualMaglev, world } from './virtual.ts'

const [a = '', b = ''] = ids(3)

test('five failures in a row eject for 30 s, the second time for 60 s, and never more than one of ten', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(10))
    await using pool = createPool(lb, { clock, random, outlier: true })
    const log: [number, string, string][] = []
    pool.on('state', ({ id, to }) => log.push([clock.monotonic(), id, to]))
    fail(pool, a, 4)
    expect(states(pool)[a]).toBe('healthy')
    fail(pool, a, 1)
    expect(states(pool)[a]).toBe('ejected')
    expect(reached(pool).has(a)).toBe(false)
    // A second one of ten would be above the 10 %.
    fail(pool, b, 20)
    expect(states(pool)[b]).toBe('healthy')
    await clock.sleep(31_000)
    fail(pool, a, 5)
    await clock.sleep(61_000)
    expect(log).toEqual([
      [0, a, 'ejected'],
      [30_000, a, 'healthy'],
      [31_000, a, 'ejected'],
      [91_000, a, 'healthy'],
    ])
    expect(pool.states().get(a)?.ejections).toBe(2)
    expect(pool.stats().ejections).toBe(2)
  }))

test('a passing check ends an ejection', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    const { prober } = world()
    const lb = virtualMaglev(clock, ids(3))
    await using pool = createPool(lb, {
      clock,
      random,
      outlier: true,
      active: { probe: prober, interval: 1000, jitter: 0 },
    })
    await clock.sleep(500)
    fail(pool, a, 5)
    expect(states(pool)[a]).toBe('ejected')
    await clock.sleep(600)
    expect(states(pool)[a]).toBe('healthy')
  }))
