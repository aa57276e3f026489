import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type SimulatedClock, simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import type { BackendStatus, Maglev, Pool, Prober } from '../../src/index.ts'
import { createPool } from '../../src/index.ts'
import { ids, virtualMaglev } from './virtual.ts'

const [a = '', b = '', c = ''] = ids(3)

function states(pool: Pool): Record<string, BackendStatus['state']> {
  return Object.fromEntries([...pool.states()].map(([id, { state }]) => [id, state]))
}

/** The part of the slots that is a backend's. */
function share(lb: Maglev, id: string): number {
  const index = lb.backends.findIndex((backend) => backend.id === id)
  return lb.owners().filter((owner) => owner === index).length / lb.tableSize
}

/** Which backends keys 0 to 999 go to. */
function reached(pool: Pool): Set<string> {
  const found = new Set<string>()
  for (let key = 0; key < 1000; key++) {
    using lease = pool.acquire(key)
    found.add(lease.id)
  }
  return found
}

/** Backends that are down fail their probes at once. */
function world(): { down: Set<string>; prober: Prober } {
  const down = new Set<string>()
  return {
    down,
    prober: ({ id }) => (down.has(id) ? Promise.reject(new Error('refused')) : Promise.resolve('healthy')),
  }
}

function fail(pool: Pool, id: string, times: number, clock?: SimulatedClock): void {
  let left = times
  for (let key = 0; left > 0; key++) {
    using lease = pool.acquire(key, { flow: `${key}:${clock?.monotonic()}` })
    if (lease.id !== id) continue
    lease.report(503)
    left--
  }
}

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

test('drain: no new keys at once, tracked flows go on, drained when leases and flows are gone', () =>
  simulate({ runs: 10 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(3))
    await using pool = createPool(lb, { clock, random, tracking: { capacity: 1000, ttl: '10s' } })
    const key = Array.from({ length: 100 }, (_, n) => n).find((n) => lb.lookup(n) === a) ?? -1
    const lease = pool.acquire(key)
    const drained: number[] = []
    pool.on('drained', ({ id }) => drained.push(id === a ? clock.monotonic() : -1))
    const done = pool.drain(a)
    expect(states(pool)[a]).toBe('draining')
    const fresh = new Set<string>()
    for (let other = 1000; other < 2000; other++) {
      using next = pool.acquire(other)
      fresh.add(next.id)
    }
    expect(fresh).toEqual(new Set([b, c]))
    await clock.sleep(5000)
    using again = pool.acquire(key)
    expect(again.id).toBe(a)
    lease[Symbol.dispose]()
    again[Symbol.dispose]()
    await clock.sleep(9000)
    expect(drained).toEqual([])
    await done
    expect(drained).toHaveLength(1)
    expect(drained[0]).toBeGreaterThanOrEqual(15_000)
    expect(drained[0]).toBeLessThanOrEqual(15_500)
    await pool.settled()
    expect(share(lb, a)).toBe(0)
    pool.enable(a)
    await pool.settled()
    expect(states(pool)[a]).toBe('healthy')
    expect(share(lb, a)).toBeGreaterThan(0.3)
  }))

test('drain: of an idle backend it is done at once; enable, disposal and a signal end the wait', () =>
  simulate({ runs: 10 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(3))
    const pool = createPool(lb, { clock, random })
    await pool.drain(a)
    const keyOf = (id: string): number =>
      Array.from({ length: 100 }, (_, n) => n).find((n) => lb.lookup(n) === id) ?? -1
    for (const id of [b, c]) expect(pool.acquire(keyOf(id)).id).toBe(id)
    const enabled = pool.drain(b)
    pool.enable(b)
    await expect(enabled).rejects.toMatchObject({ code: 'DRAIN_INTERRUPTED' })
    const aborter = new AbortController()
    const aborted = pool.drain(c, { signal: aborter.signal })
    aborter.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    expect(states(pool)[c]).toBe('draining')
    const closed = pool.drain(c)
    await pool[Symbol.asyncDispose]()
    await expect(closed).rejects.toMatchObject({ code: 'POOL_CLOSED' })
    await expect(pool.drain('nobody')).rejects.toMatchObject({ code: 'POOL_CLOSED' })
  }))

test('what is done to the table by hand is taken over; health set by hand is put back', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(2))
    await using pool = createPool(lb, { clock, random })
    lb.add(c)
    await clock.sleep(100)
    expect(states(pool)[c]).toBe('healthy')
    lb.setWeight(a, 5)
    lb.setHealth(b, 'unhealthy')
    await clock.sleep(100)
    await pool.settled()
    expect(pool.states().get(a)?.weight).toBe(5)
    expect(lb.configured.get(b)?.health).toBe('healthy')
    lb.remove(c)
    await clock.sleep(100)
    expect([...pool.states().keys()]).toEqual([a, b])
    expect(reached(pool)).toEqual(new Set([a, b]))
  }))

test('a wrong change changes nothing', () =>
  simulate({ runs: 2 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, ids(2))
    await using pool = createPool(lb, { clock, random })
    const code = (change: () => void): unknown => {
      try {
        change()
      } catch (error) {
        return error instanceof Error && 'code' in error ? error.code : error
      }
      return 'none'
    }
    expect(code(() => pool.update({ add: [c, a] }))).toBe('DUPLICATE_BACKEND')
    expect(code(() => pool.update({ add: [c], remove: ['nobody'] }))).toBe('UNKNOWN_BACKEND')
    expect(code(() => pool.setWeight(a, -1))).toBe('INVALID_WEIGHT')
    expect(code(() => pool.update({ health: { [a]: 'unhealthy' } }))).toBe('INVALID_OPTION')
    expect(code(() => pool.update({ add: [{ id: c, priority: 128 }] }))).toBe('INVALID_BACKEND')
    expect(code(() => pool.disable('__proto__'))).toBe('UNKNOWN_BACKEND')
    expect([...pool.states().keys()]).toEqual([a, b])
  }))

test('ids of any kind are told apart', () =>
  simulate({ runs: 2 }, async ({ clock, random }) => {
    const strange = ['__proto__', 'constructor', '', '\0', '😀', '\uFFFD', 'x'.repeat(65_536)]
    const lb = virtualMaglev(clock, strange)
    await using pool = createPool(lb, {
      clock,
      random,
      slowStart: '1s',
      tracking: {},
      boundedLoad: 2,
      outlier: true,
    })
    expect(reached(pool)).toEqual(new Set(strange))
    for (const id of strange) {
      pool.disable(id)
      await clock.sleep(100)
      expect(lb.configured.get(id)?.health).toBe('disabled')
      pool.enable(id)
      await clock.sleep(2000)
      expect(lb.configured.get(id)).toMatchObject({ health: 'healthy', ramp: 1 })
    }
  }))

test('disposal leaves no timer, whatever was going on', () =>
  simulate({ runs: 30 }, async ({ clock, random }) => {
    const lb = virtualMaglev(clock, [...ids(4), { id: '10.1.0.1:80', priority: 1 }])
    const pool = createPool(lb, {
      clock,
      random,
      outlier: true,
      slowStart: '10s',
      tracking: {},
      active: {
        probe: async (_, signal) => {
          await clock.sleep(300, { signal })
          return 'healthy'
        },
        interval: 500,
      },
    })
    pool.acquire('k')
    pool.disable(a)
    await clock.sleep(400)
    pool.enable(a)
    fail(pool, b, 5)
    pool.drain(c).catch(() => undefined)
    await clock.sleep(Math.floor(random.next() * 2000))
    await pool[Symbol.asyncDispose]()
    // A table that is being built is finished.
    await lb.settled()
    await clock.sleep(1)
    expect(clock.pending).toBe(0)
  }))

test('events also go to the diagnostics channels; a listener that throws stops nobody', () =>
  simulate({ runs: 1 }, async ({ clock, random }) => {
    const published: unknown[] = []
    const onMessage = (message: unknown): number => published.push(message)
    subscribe('loadbearing:maglev:state', onMessage)
    try {
      await using pool = createPool(virtualMaglev(clock, ids(2)), { clock, random })
      const off = pool.on('state', () => published.push('listener'))
      pool.disable(a)
      off()
      pool.enable(a)
      expect(published).toMatchObject([
        { pool, id: a, from: 'healthy', to: 'disabled', reason: 'disable' },
        'listener',
        { pool, id: a, from: 'disabled', to: 'healthy', reason: 'enable' },
      ])
    } finally {
      unsubscribe('loadbearing:maglev:state', onMessage)
    }
  }))
