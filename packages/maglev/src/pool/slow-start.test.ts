import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMaglevError } from '../errors.ts'
import { checkSlowStart, type SlowStart, slowStartFactor, slowStartStep } from './slow-start.ts'

const ramps = fc
  .record({
    window: fc.integer({ min: 1, max: 600_000 }),
    aggression: fc.double({ min: 0.05, max: 20, noNaN: true }),
    minWeight: fc.double({ min: 0, max: 1, noNaN: true }),
    steps: fc.integer({ min: 2, max: 40 }),
  })
  .map(checkSlowStart)

/** Every step of a ramp, each as [elapsed, factor]. */
function ramp(slowStart: SlowStart): [number, number][] {
  const steps: [number, number][] = []
  for (let at: number | undefined = 0; at !== undefined; ) {
    const { factor, next } = slowStartStep(slowStart, at)
    steps.push([at, factor])
    at = next
  }
  return steps
}

describe('slowStartFactor', () => {
  test('60 s, aggression 1: 10, 50 and 100 % after 6, 30 and 60 s', () => {
    const slowStart = checkSlowStart('60s')
    expect([6000, 30_000, 60_000].map((at) => slowStartFactor(slowStart, at))).toEqual([0.1, 0.5, 1])
  })

  test.each([
    // The formula of Envoy's slow_start.rst, worked out by hand.
    [{ window: 60_000 }, 0, 0.1],
    [{ window: 60_000, minWeight: 0.01 }, 0, 1 / 60],
    [{ window: 60_000, minWeight: 0.01 }, 999, 1 / 60],
    [{ window: 60_000, aggression: 2 }, 15_000, 0.5],
    [{ window: 60_000, aggression: 0.5 }, 30_000, 0.25],
    [{ window: 60_000, aggression: 0.5 }, 6000, 0.1],
    [{ window: 60_000, minWeight: 0.4 }, 6000, 0.4],
    [{ window: 60_000, minWeight: 0, aggression: 0.5 }, 6000, 0.01],
    [{ window: 60_000 }, 61_000, 1],
    [{ window: 500 }, 0, 1],
  ])('%o after %d ms: %d', (options, at, factor) => {
    expect(slowStartFactor(checkSlowStart(options), at)).toBeCloseTo(factor, 12)
  })

  test('never falls, begins at minWeight or above, ends at 1', () => {
    fc.assert(
      fc.property(ramps, fc.nat(700_000), fc.nat(700_000), (slowStart, a, b) => {
        const [early, late] = a < b ? [a, b] : [b, a]
        const first = slowStartFactor(slowStart, early)
        expect(first).toBeGreaterThanOrEqual(slowStart.minWeight)
        expect(slowStartFactor(slowStart, late)).toBeGreaterThanOrEqual(first)
        expect(slowStartFactor(slowStart, slowStart.window)).toBe(1)
      }),
    )
  })
})

describe('slowStartStep', () => {
  test('8 steps of 60 s', () => {
    expect(ramp(checkSlowStart('60s'))).toEqual([
      [0, 0.1],
      [15_000, 0.25],
      [22_500, 0.375],
      [30_000, 0.5],
      [37_500, 0.625],
      [45_000, 0.75],
      [52_500, 0.875],
      [60_000, 1],
    ])
  })

  test('has at most `steps` weights, each above the last and none above the ramp, and ends at 1', () => {
    fc.assert(
      fc.property(ramps, (slowStart) => {
        const steps = ramp(slowStart)
        expect(steps.length).toBeLessThanOrEqual(slowStart.steps)
        expect(steps.at(-1)?.[1]).toBe(1)
        for (const [index, [at, factor]] of steps.entries()) {
          if (index > 0) expect(factor).toBeGreaterThan(steps[index - 1]?.[1] ?? 1)
          expect(factor).toBeLessThanOrEqual(slowStartFactor(slowStart, at) + 1e-9)
          expect(slowStartStep(slowStart, at + 0.5).factor).toBeGreaterThanOrEqual(factor)
        }
      }),
    )
  })

  test('after the window there is nothing more to come', () => {
    fc.assert(
      fc.property(ramps, fc.nat(), (slowStart, late) => {
        expect(slowStartStep(slowStart, slowStart.window + late)).toEqual({ factor: 1, next: undefined })
      }),
    )
  })
})

test.each([
  ['slowStart.window', { window: 0 }],
  ['slowStart.window', '-3s'],
  ['slowStart.window', Number.NaN],
  ['slowStart.aggression', { window: 1, aggression: 0 }],
  ['slowStart.aggression', { window: 1, aggression: Number.POSITIVE_INFINITY }],
  ['slowStart.minWeight', { window: 1, minWeight: 10 }],
  ['slowStart.minWeight', { window: 1, minWeight: -0.1 }],
  ['slowStart.steps', { window: 1, steps: 1 }],
  ['slowStart.steps', { window: 1, steps: 2.5 }],
])('refuses a wrong %s: %o', (name, options) => {
  const refused = (): unknown => {
    try {
      return checkSlowStart(options)
    } catch (error) {
      return isMaglevError(error) ? `${error.code} ${error.message}` : error
    }
  }
  expect(refused()).toMatch(new RegExp(`^INVALID_OPTION ${name.replace('.', '\\.')} `))
})
