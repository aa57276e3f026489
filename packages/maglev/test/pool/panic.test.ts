import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { createPool } from '../../src/index.ts'
import { ids, reached, share, states, virtualMaglev, world } from './virtual.ts'

const [a = '', b = ''] = ids(3)

test('panic: fewer than half up, all are used; above it again, only those that are up', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    const { down, prober } = world()
    const lb = virtualMaglev(clock, ids(4))
    await using pool = createPool(lb, { clock, random, active: { probe: prober, interval: 1000, jitter: 0 } })
    const panics: boolean[] = []
    pool.on('panic', ({ priority, panic }) => panics.push(priority === 0 && panic))
    for (const id of ids(2)) down.add(id)
    await clock.sleep(4000)
    expect(reached(pool)).toEqual(new Set(ids(4).slice(2)))
    for (const id of ids(3)) down.add(id)
    await clock.sleep(4000)
    expect(panics).toEqual([true])
    expect(reached(pool)).toEqual(new Set(ids(4)))
    expect(states(pool)[a]).toBe('unhealthy')
    expect(share(lb, a)).toBeGreaterThan(0.2)
    for (const id of ids(4)) down.add(id)
    await clock.sleep(4000)
    expect(reached(pool)).toEqual(new Set(ids(4)))
    // Those that were taken out stay out.
    pool.disable(a)
    expect(reached(pool)).toEqual(new Set(ids(4).slice(1)))
    down.clear()
    pool.enable(a)
    await clock.sleep(3000)
    expect(panics).toEqual([true, false])
    await pool.settled()
    expect(states(pool)[a]).toBe('healthy')
  }))

test('panicThreshold 0: nobody is up, NO_BACKEND', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    const { down, prober } = world()
    const lb = virtualMaglev(clock, ids(3))
    await using pool = createPool(lb, {
      clock,
      random,
      panicThreshold: 0,
      active: { probe: prober, interval: 1000, jitter: 0 },
    })
    for (const id of ids(3)) down.add(id)
    await clock.sleep(4000)
    expect(() => pool.acquire('k')).toThrow(expect.objectContaining({ code: 'NO_BACKEND' }))
    expect(lb.lookup('k')).toBeUndefined()
    down.delete(b)
    await clock.sleep(3000)
    expect(reached(pool)).toEqual(new Set([b]))
  }))
