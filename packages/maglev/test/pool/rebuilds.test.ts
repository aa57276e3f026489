import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { createPool } from '../../src/index.ts'
import { ids, reached, virtualMaglev } from './virtual.ts'

test('ten backends that flap at 10 Hz for 60 s, a change every 5 ms: a rebuild every 50 ms at most, the table of before', () =>
  simulate({ runs: 3 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(30))
    const before = lb.fingerprint
    await using pool = createPool(lb, { clock, random })
    const rebuilds: number[] = []
    pool.on('rebuild', () => rebuilds.push(clock.monotonic()))
    const out = new Set<string>()
    for (let change = 0; change < 12_000; change++) {
      const id = ids(30)[change % 10] ?? ''
      if (out.delete(id)) pool.enable(id)
      else {
        out.add(id)
        pool.disable(id)
      }
      await clock.sleep(5)
    }
    expect(out.size).toBe(0)
    await pool.settled()
    expect(lb.fingerprint).toBe(before)
    const gaps = rebuilds.slice(1, -1).map((at, i) => at - (rebuilds[i] ?? 0))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50)
    expect(rebuilds.length).toBeGreaterThan(1000)
    expect(rebuilds.length).toBeLessThanOrEqual(1201)
  }))

test('a hundred changes at once are one rebuild, and keys go by them before it', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(100))
    await using pool = createPool(lb, { clock, random })
    for (const id of ids(50)) pool.disable(id)
    const gone = new Set(ids(50))
    expect(reached(pool).isDisjointFrom(gone)).toBe(true)
    expect(pool.stats().rebuilds).toBe(0)
    await clock.sleep(200)
    expect(pool.stats().rebuilds).toBeLessThanOrEqual(2)
    expect(new Set(lb.lookupMany(Array.from({ length: 1000 }, (_, key) => key))).isDisjointFrom(gone)).toBe(
      true,
    )
  }))
