import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { createPool } from '../../src/index.ts'
import { ids, reached, states, virtualMaglev } from './virtual.ts'

const [a = '', b = '', c = ''] = ids(3)

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
