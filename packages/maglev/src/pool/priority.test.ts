import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMaglevError } from '../errors.ts'
import { word64 } from '../hash/word64.ts'
import type { PriorityLevel } from './panic.ts'
import { choosePriority, type PriorityOptions, priorityLoad } from './priority.ts'

const levels = fc.array(
  fc
    .record({ total: fc.nat(60), healthy: fc.nat(60), degraded: fc.nat(60) })
    .map(({ total, healthy, degraded }) => {
      const up = Math.min(healthy, total)
      return { total, healthy: up, degraded: Math.min(degraded, total - up) }
    }),
  { minLength: 1, maxLength: 8 },
)

function percents(...healthy: readonly number[]): PriorityLevel[] {
  return healthy.map((percent) => ({ total: 100, healthy: percent }))
}

function counts(...given: readonly (readonly [number, number, number?])[]): PriorityLevel[] {
  return given.map(([total, healthy, degraded = 0]) => ({ total, healthy, degraded }))
}

const sum = (parts: readonly number[]): number => parts.reduce((total, part) => total + part, 0)

// envoyproxy/envoy, docs panic_threshold.rst: percent up of P=0 and P=1, load of both, panic of both.
test.each([
  [72, 100, 100, 0, false, false],
  [71, 100, 99, 1, false, false],
  [50, 100, 70, 30, false, false],
  [25, 100, 35, 65, false, false],
  [0, 100, 0, 100, false, false],
  [72, 72, 100, 0, false, false],
  [71, 71, 99, 1, false, false],
  [50, 60, 70, 30, false, false],
  [25, 100, 35, 65, false, false],
  [25, 25, 50, 50, true, true],
  [5, 65, 7, 93, true, false],
])('panic_threshold.rst: P=0 %i %% and P=1 %i %% up', (first, second, load0, load1, panic0, panic1) => {
  const load = priorityLoad(percents(first, second))
  expect(load.healthy).toEqual([load0, load1])
  expect(load.panic).toEqual([panic0, panic1])
})

// envoyproxy/envoy, docs priority.rst, without the levels that all panic there.
test.each([
  [
    [100, 100, 100],
    [100, 0, 0],
  ],
  [
    [72, 72, 100],
    [100, 0, 0],
  ],
  [
    [71, 71, 100],
    [99, 1, 0],
  ],
  [
    [50, 50, 100],
    [70, 30, 0],
  ],
  [
    [25, 100, 100],
    [35, 65, 0],
  ],
  [
    [25, 25, 100],
    [35, 35, 30],
  ],
])('priority.rst: %o up', (up, load) => {
  expect(priorityLoad(percents(...up)).healthy).toEqual(load)
})

test('priority.rst: 25, 25 and 20 % up get 36, 36 and 28 %, panic turned off', () => {
  expect(priorityLoad(percents(25, 25, 20), { panicThreshold: 0 }).healthy).toEqual([36, 36, 28])
})

interface Case {
  readonly what: string
  readonly levels: PriorityLevel[]
  readonly healthy: number[]
  readonly degraded?: number[]
  readonly panic?: boolean
  readonly options?: PriorityOptions
}

// envoyproxy/envoy, load_balancer_impl_base_test.cc: PrioritySelection, OverProvisioningFactor, GentleFailover…
const envoyCases: Case[] = [
  { what: 'all down, equal', levels: counts([1, 0], [1, 0]), healthy: [50, 50], panic: true },
  { what: 'all down, 1 and 2', levels: counts([1, 0], [2, 0]), healthy: [34, 66], panic: true },
  { what: 'only the third up', levels: counts([1, 0], [2, 0], [1, 1]), healthy: [0, 0, 100], panic: false },
  { what: 'half up', levels: counts([4, 2], [4, 2]), healthy: [70, 30], panic: false },
  {
    what: 'half up, nothing over',
    levels: counts([4, 2], [4, 2]),
    healthy: [50, 50],
    options: { overProvisioning: 1 },
  },
  { what: 'a quarter up and all', levels: counts([4, 1], [2, 2]), healthy: [35, 65], panic: false },
  { what: 'a quarter up', levels: counts([4, 1], [4, 1]), healthy: [50, 50], panic: true },
  { what: 'three halves', levels: counts([2, 1], [2, 1], [2, 1]), healthy: [70, 30, 0] },
  { what: 'three quarters', levels: counts([4, 1], [4, 1], [4, 1]), healthy: [35, 35, 30] },
  { what: 'three fifths', levels: counts([5, 1], [5, 1], [5, 1]), healthy: [34, 33, 33], panic: true },
  { what: 'the third does', levels: counts([5, 0], [5, 0], [5, 4]), healthy: [0, 0, 100], panic: false },
  { what: 'the third cannot', levels: counts([5, 0], [5, 0], [5, 2]), healthy: [34, 33, 33], panic: true },
  {
    what: 'degraded ones keep panic away',
    levels: counts([5, 0, 5], [5, 2, 2], [5, 2]),
    healthy: [0, 56, 44],
    panic: false,
  },
  { what: 'all down by size', levels: counts([5, 0], [3, 0], [2, 0]), healthy: [50, 30, 20], panic: true },
  {
    what: 'rounding to the first',
    levels: counts([5, 0], [6, 2], [3, 1]),
    healthy: [37, 42, 21],
    panic: true,
  },
  {
    what: 'spill-over into degraded ones',
    levels: counts([5, 0, 1], [5, 0, 5], [5, 1]),
    healthy: [0, 0, 28],
    degraded: [28, 44, 0],
  },
  {
    what: 'only degraded ones, panic off',
    levels: counts([5, 0], [5, 0, 2], [5, 0, 1]),
    healthy: [0, 0, 0],
    degraded: [0, 67, 33],
    options: { panicThreshold: 0 },
  },
  { what: 'only degraded ones', levels: counts([5, 0], [5, 0, 2], [5, 0, 1]), healthy: [34, 33, 33] },
  { what: 'an empty first', levels: counts([0, 0], [6, 0], [3, 0]), healthy: [0, 67, 33], panic: true },
  { what: 'nothing at all', levels: counts([0, 0], [0, 0]), healthy: [100, 0], panic: true },
  {
    what: 'all down, panic off',
    levels: counts([3, 0], [3, 0]),
    healthy: [100, 0],
    panic: false,
    options: { panicThreshold: 0 },
  },
]

describe.each(['nearest', 'down'] as const)('load_balancer_impl_base_test.cc, rounding %s', (rounding) => {
  test.each(envoyCases)('$what', ({ levels: given, healthy, degraded, panic, options }) => {
    const load = priorityLoad(given, { ...options, rounding })
    expect(load.healthy).toEqual(healthy)
    expect(load.degraded).toEqual(degraded ?? healthy.map(() => 0))
    if (panic !== undefined) expect(load.panic).toEqual(healthy.map(() => panic))
  })
})

test('rounding down is what the code of Envoy does, to which its tables are not quite true', () => {
  // The comment in load_balancer_impl.cc: 10, 20, 10 % healthy and 20, 10, 0 % degraded.
  const load = priorityLoad(counts([10, 1, 2], [10, 2, 1], [10, 1, 0]), {
    panicThreshold: 0,
    rounding: 'down',
  })
  expect(load.healthy).toEqual([16, 28, 14])
  expect(load.degraded).toEqual([28, 14, 0])
  expect(priorityLoad(percents(5, 65), { rounding: 'down' }).healthy).toEqual([8, 92])
})

test('the load is 100 percent in all, of levels that can bear it', () => {
  fc.assert(
    fc.property(
      levels,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 1, max: 3, noNaN: true }),
      fc.constantFrom('nearest' as const, 'down' as const),
      (given, panicThreshold, overProvisioning, rounding) => {
        const { healthy, degraded, panic } = priorityLoad(given, {
          panicThreshold,
          overProvisioning,
          rounding,
        })
        expect(sum(healthy) + sum(degraded)).toBe(100)
        for (const part of [...healthy, ...degraded]) expect(part).toBeGreaterThanOrEqual(0)
        const anyUp = given.some((level) => level.healthy + level.degraded > 0)
        for (const [index, level] of given.entries()) {
          if (panic.every(Boolean) || !anyUp) continue
          if (level.healthy === 0) expect(healthy[index]).toBe(0)
          if (level.degraded === 0) expect(degraded[index]).toBe(0)
        }
      },
    ),
  )
})

test('a level gets no more when one of its own fails, unless all panic', () => {
  fc.assert(
    fc.property(levels, (given) => {
      const [first = { total: 0, healthy: 0, degraded: 0 }, ...others] = given
      fc.pre(first.healthy > 0)
      const before = priorityLoad(given)
      const after = priorityLoad([{ ...first, healthy: first.healthy - 1 }, ...others])
      fc.pre(!after.panic.every(Boolean) && !before.panic.every(Boolean))
      // The rest of rounding may go to it or not: at most one percent for each level and kind.
      expect(after.healthy[0]).toBeLessThanOrEqual((before.healthy[0] ?? 0) + 2 * given.length)
    }),
  )
})

test('keys are spread as the load says', () => {
  const load = { healthy: [7, 0, 13], degraded: [0, 80, 0], panic: [false, false, false] }
  const found = new Map<string, number>()
  for (let hash = 0n; hash < 100n; hash++) {
    const { priority, availability } = choosePriority(load, word64(hash + 100n * 2n ** 40n))
    const name = `${priority} ${availability}`
    found.set(name, (found.get(name) ?? 0) + 1)
  }
  expect(Object.fromEntries(found)).toEqual({ '0 healthy': 7, '2 healthy': 13, '1 degraded': 80 })
})

test.each([
  ['panicThreshold', { panicThreshold: 50 }],
  ['panicThreshold', { panicThreshold: -0.1 }],
  ['panicThreshold', { panicThreshold: Number.NaN }],
  ['overProvisioning', { overProvisioning: 0.9 }],
  ['overProvisioning', { overProvisioning: Number.POSITIVE_INFINITY }],
])('refuses a wrong %s: %o', (name, options) => {
  try {
    priorityLoad(percents(100), options)
    expect.unreachable()
  } catch (error) {
    expect(isMaglevError(error) && error.code).toBe('INVALID_OPTION')
    expect(String(error)).toContain(name)
  }
})
