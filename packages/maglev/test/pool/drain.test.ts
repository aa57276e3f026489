import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { createPool } from '../../src/index.ts'
import { ids, share, states, virtualMaglev } from './virtual.ts'

const [a = '', b = '', c = ''] = ids(3)

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
