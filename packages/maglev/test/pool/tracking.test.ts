import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { createPool } from '../../src/index.ts'
import { ids, virtualMaglev } from './virtual.ts'

const [a = '', b = ''] = ids(3)

test('tracking: flows keep their backend through a change of weights, and lose it with the backend', () =>
  simulate({ runs: 3 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(5))
    await using pool = createPool(lb, { clock, random, tracking: { capacity: 1000, ttl: '60s' } })
    const at = (key: number): string => {
      using lease = pool.acquire(key)
      return lease.id
    }
    const before = Array.from({ length: 500 }, (_, key) => at(key))
    pool.setWeight(a, 10)
    await pool.settled()
    expect(Array.from({ length: 500 }, (_, key) => lb.lookup(key))).not.toEqual(before)
    expect(Array.from({ length: 500 }, (_, key) => at(key))).toEqual(before)
    pool.disable(b)
    for (const [key, id] of before.entries()) {
      if (id === b) expect(at(key)).not.toBe(b)
      else expect(at(key)).toBe(id)
    }
    await clock.sleep(60_001)
    await pool.settled()
    expect(Array.from({ length: 500 }, (_, key) => at(key))).toEqual(
      Array.from({ length: 500 }, (_, key) => lb.lookup(key)),
    )
  }))

test('tracking: an excluded backend loses the flow for good', () =>
  simulate({ runs: 3 }, async ({ clock, random }) => {
    await using pool = createPool(virtualMaglev(clock, ids(5)), { clock, random, tracking: {} })
    const first = pool.acquire('k').id
    const second = pool.acquire('k', { exclude: new Set([first]) }).id
    expect(second).not.toBe(first)
    expect(pool.acquire('k').id).toBe(second)
  }))

test('tracking at capacity: new flows go by the table, tracked ones stay, memory does not grow', () =>
  simulate({ runs: 1 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(5))
    await using pool = createPool(lb, { clock, random, tracking: { capacity: 100, ttl: '60s' } })
    const at = (flow: number): string => {
      using lease = pool.acquire(flow)
      return lease.id
    }
    const kept = Array.from({ length: 100 }, (_, flow) => at(flow))
    pool.setWeight(a, 20)
    await pool.settled()
    for (let flow = 100; flow < 20_000; flow++) expect(at(flow)).toBe(lb.lookup(flow))
    expect(Array.from({ length: 100 }, (_, flow) => at(flow))).toEqual(kept)
    expect(pool.stats().flows).toMatchObject({ size: 100, capacity: 100, hits: 100, full: 19_900 })
  }))
