import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { createPool } from '../../src/index.ts'
import { ids, share, virtualMaglev } from './virtual.ts'

const [a = ''] = ids(3)

test('slow start over 60 s: 10, 50 and 100 % of the share at 6, 30 and 60 s, in at most 8 rebuilds', () =>
  simulate({ runs: 3 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(10), { tableSize: 65_537 })
    await using pool = createPool(lb, { clock, random, slowStart: '60s' })
    const full = share(lb, a)
    const base = lb.owners()
    pool.disable(a)
    await pool.settled()
    expect(share(lb, a)).toBe(0)
    await clock.sleep(1000)
    const before = pool.stats().rebuilds
    pool.enable(a)
    const at = async (ms: number): Promise<number> => {
      await clock.sleep(ms)
      return share(lb, a) / full
    }
    expect(Math.abs((await at(6000)) - 0.1)).toBeLessThanOrEqual(0.02)
    expect(Math.abs((await at(24_010)) - 0.5)).toBeLessThanOrEqual(0.02)
    expect(await at(30_000)).toBe(1)
    expect(pool.stats().rebuilds - before).toBeLessThanOrEqual(8)
    expect(lb.owners()).toEqual(base)
    expect(pool.states().get(a)?.effectiveWeight).toBe(1)
  }))

test('slow start moves nobody else’s keys, and a backend that fails on its way begins again', () =>
  simulate({ runs: 3 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(10))
    await using pool = createPool(lb, { clock, random, slowStart: { window: '10s', minWeight: 0.2 } })
    const base = lb.owners()
    const untouched = (): boolean =>
      lb.owners().every((owner, slot) => base[slot] === 0 || owner === base[slot])
    const parts: (number | undefined)[] = []
    const see = (): number => parts.push(pool.states().get(a)?.effectiveWeight)
    pool.disable(a)
    await clock.sleep(100)
    pool.enable(a)
    see()
    for (let second = 0; second < 5; second++) {
      await clock.sleep(1010)
      expect(untouched()).toBe(true)
    }
    see()
    pool.disable(a)
    await clock.sleep(1000)
    pool.enable(a)
    see()
    await clock.sleep(11_000)
    see()
    expect(parts).toEqual([0.2, 0.5, 0.2, 1])
    expect(lb.owners()).toEqual(base)
  }))
