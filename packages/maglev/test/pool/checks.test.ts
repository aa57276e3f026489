import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { createPool } from '../../src/index.ts'
import { ids, reached, share, states, virtualMaglev, world } from './virtual.ts'

const [a = '', b = '', c = ''] = ids(3)

test('active checks: the first result decides, then the thresholds', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    const { down, prober } = world()
    down.add(a)
    const lb = virtualMaglev(clock, ids(3))
    await using pool = createPool(lb, { clock, random, active: { probe: prober, interval: 1000, jitter: 0 } })
    expect(states(pool)[a]).toBe('healthy')
    expect(pool.states().get(a)?.reasons.check).toBe('pending')
    await pool.ready()
    expect(states(pool)).toEqual({ [a]: 'unhealthy', [b]: 'healthy', [c]: 'healthy' })
    expect(share(lb, a)).toBe(0)
    expect(pool.states().get(a)?.lastError).toMatchObject({ message: 'refused' })
    down.clear()
    down.add(b)
    await clock.sleep(1900)
    expect(states(pool)).toEqual({ [a]: 'unhealthy', [b]: 'healthy', [c]: 'healthy' })
    await clock.sleep(1000)
    expect(states(pool)).toEqual({ [a]: 'healthy', [b]: 'healthy', [c]: 'healthy' })
    await clock.sleep(1000)
    expect(states(pool)).toEqual({ [a]: 'healthy', [b]: 'unhealthy', [c]: 'healthy' })
    expect(pool.stats()).toMatchObject({ probeFailures: 4 })
  }))

test('a backend that is added gets keys after its first pass', () =>
  simulate({ runs: 10 }, async ({ clock, random }) => {
    const { down, prober } = world()
    const lb = virtualMaglev(clock, ids(2))
    await using pool = createPool(lb, { clock, random, active: { probe: prober, interval: 1000, jitter: 0 } })
    await pool.ready()
    down.add(c)
    pool.update({ add: [c] })
    expect(reached(pool).has(c)).toBe(false)
    await clock.sleep(1500)
    expect(reached(pool).has(c)).toBe(false)
    down.clear()
    await clock.sleep(3000)
    expect(reached(pool).has(c)).toBe(true)
    pool.update({ remove: [c] })
    expect(reached(pool).has(c)).toBe(false)
    await pool.settled()
    expect(lb.configured.has(c)).toBe(false)
  }))
