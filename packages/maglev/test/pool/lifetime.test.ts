import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { createPool } from '../../src/index.ts'
import { fail, ids, virtualMaglev } from './virtual.ts'

const [a = '', b = '', c = ''] = ids(3)

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
