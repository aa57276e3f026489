import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { createPool } from '../../src/index.ts'
import { ids, reached, states, virtualMaglev, world } from './virtual.ts'

const [a = '', b = '', c = ''] = ids(3)

test('priorities: 71 % of a level up leaves 1 % of the keys to the next, 50 % leaves 30 %, none all', () =>
  simulate({ runs: 2 }, async ({ clock, random }) => {
    const first = ids(100)
    const second = ['10.1.0.1:80', '10.1.0.2:80']
    const lb = virtualMaglev(clock, [...first, ...second.map((id) => ({ id, priority: 1 }))])
    const { down, prober } = world()
    await using pool = createPool(lb, { clock, random, active: { probe: prober, interval: 1000, jitter: 0 } })
    const spilled = (): number => {
      let count = 0
      for (let key = 0; key < 10_000; key++) {
        using lease = pool.acquire(key)
        if (second.includes(lease.id)) count++
      }
      return count / 100
    }
    const loads = (): number[] => pool.stats().levels.map(({ load }) => load)
    expect(spilled()).toBe(0)
    const fallTo = async (up: number): Promise<void> => {
      for (const id of first.slice(up)) down.add(id)
      await clock.sleep(4000)
    }
    for (const [up, load, spill] of [
      [72, 100, 0],
      [71, 99, 1],
      [50, 70, 30],
      [25, 35, 65],
      [0, 0, 100],
    ] as const) {
      await fallTo(up)
      expect([loads(), spilled()]).toEqual([[load, spill], spill])
    }
    expect(pool.stats().levels.map(({ panic }) => panic)).toEqual([false, false])
  }))

test('priorities: a retry that has tried a whole level goes on to the next', () =>
  simulate({ runs: 2 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, [a, b, { id: c, priority: 3 }])
    await using pool = createPool(lb, { clock, random })
    const tried = new Set<string>()
    for (let attempt = 0; attempt < 3; attempt++) tried.add(pool.acquire('k', { exclude: tried }).id)
    expect([...tried]).toHaveLength(3)
    expect([...tried][2]).toBe(c)
    expect(pool.stats().levels.map(({ priority, total }) => [priority, total])).toEqual([
      [0, 2],
      [3, 1],
    ])
  }))

test('priorities: levels come and go with their backends', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(2))
    await using pool = createPool(lb, { clock, random })
    const table = Array.from({ length: 1000 }, (_, key) => lb.lookup(key))
    pool.update({ add: [{ id: c, priority: 1 }] })
    expect(reached(pool)).toEqual(new Set([a, b]))
    pool.update({ remove: [a, b] })
    expect(reached(pool)).toEqual(new Set([c]))
    pool.update({ add: ids(2) })
    await pool.settled()
    expect(reached(pool)).toEqual(new Set([a, b]))
    pool.update({ remove: [c] })
    await pool.settled()
    expect(Array.from({ length: 1000 }, (_, key) => pool.acquire(key).id)).toEqual(table)
    // The same id under another priority is another backend.
    pool.update({ remove: [a], add: [{ id: a, priority: 1 }] })
    await pool.settled()
    expect(reached(pool)).toEqual(new Set([b]))
  }))

test('a level keeps its keys where they are while it shares its load', () =>
  simulate({ runs: 2 }, async ({ clock, random }) => {
    const { down, prober } = world()
    const first = ids(10)
    const lb = virtualMaglev(clock, [...first, { id: '10.1.0.1:80', priority: 1 }])
    await using pool = createPool(lb, { clock, random, active: { probe: prober, interval: 1000, jitter: 0 } })
    const before = Array.from({ length: 1000 }, (_, key) => pool.acquire(key).id)
    for (const id of first.slice(5)) down.add(id)
    await clock.sleep(4000)
    const now = Array.from({ length: 1000 }, (_, key) => pool.acquire(key).id)
    for (const [key, id] of now.entries()) {
      if (id !== '10.1.0.1:80' && !down.has(before[key] ?? '')) expect(id).toBe(before[key])
    }
    expect(now.filter((id) => id === '10.1.0.1:80')).toHaveLength(300)
  }))

test('degraded backends get what the healthy ones cannot take', () =>
  simulate({ runs: 2 }, async ({ clock, random }) => {
    const degraded = new Set<string>()
    const lb = virtualMaglev(clock, ids(10))
    await using pool = createPool(lb, {
      clock,
      random,
      active: {
        probe: ({ id }) => Promise.resolve(degraded.has(id) ? 'degraded' : 'healthy'),
        interval: 1000,
        jitter: 0,
      },
    })
    await pool.ready()
    const before = Array.from({ length: 1000 }, (_, key) => pool.acquire(key).id)
    degraded.add(a)
    await clock.sleep(1100)
    expect(states(pool)[a]).toBe('degraded')
    for (const [key, id] of before.entries()) {
      const now = pool.acquire(key).id
      if (id === a) expect(now).not.toBe(a)
      else expect(now).toBe(id)
    }
    // 5 of 10 healthy can take 70 % of the keys.
    for (const id of ids(5)) degraded.add(id)
    await clock.sleep(1100)
    const after = Array.from({ length: 1000 }, (_, key) => pool.acquire(key).id)
    expect(after.filter((id) => degraded.has(id))).toHaveLength(300)
    expect(pool.stats().levels).toMatchObject([{ load: 100, panic: false, healthy: 5, degraded: 5 }])
    for (const id of ids(10)) degraded.add(id)
    await clock.sleep(1100)
    expect(reached(pool)).toEqual(new Set(ids(10)))
  }))
