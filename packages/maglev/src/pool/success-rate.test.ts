import { describe, expect, test } from 'vitest'
import { OutlierDetector, type OutlierResult } from './outlier.ts'
import type { OutlierOptions } from './outlier-options.ts'
import { successRateThreshold } from './success-rate.ts'

function detector(ids: readonly string[], options: OutlierOptions = {}): OutlierDetector {
  const made = new OutlierDetector(options, () => expect.unreachable('no random number is needed here'))
  for (const id of ids) made.add(id)
  return made
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `b${index}`)
}

/** Gives a backend `total` calls in the current interval of which `failed` fail, never five in a row. */
function volume(
  made: OutlierDetector,
  id: string,
  total: number,
  failed: number,
  result: OutlierResult = 500,
): void {
  for (let i = 0; i < total; i++) made.report(id, i % 2 === 0 && i / 2 < failed ? result : 200, 0)
}

describe('success rates', () => {
  test('the threshold of 50, 100, 100, 100, 100 with 1.9 is 52', () => {
    // The example in outlier_detection_impl.cc: mean 90, standard deviation 20.
    expect(successRateThreshold([50, 100, 100, 100, 100], 1.9)).toBeCloseTo(52, 10)
  })

  test('eject who lies more than 1.9 standard deviations below the mean', () => {
    const made = detector(names(5))
    for (const id of names(5)) volume(made, id, 200, id === 'b0' ? 100 : 0)
    expect(made.tick(10_000)).toEqual({
      ejected: [{ id: 'b0', at: 10_000, until: 40_000, reason: 'success-rate', times: 1 }],
      returned: [],
    })
  })

  test.each([
    ['fewer backends than 5', 4, 200],
    ['fewer calls than 100', 5, 99],
  ])('not with %s', (_, count, calls) => {
    const made = detector(names(count))
    for (const id of names(count)) volume(made, id, calls, id === 'b0' ? 40 : 0)
    expect(made.tick(10_000).ejected).toEqual([])
  })

  test('nor with a greater factor', () => {
    const made = detector(names(5), { successRateStdevFactor: 2100 })
    for (const id of names(5)) volume(made, id, 200, id === 'b0' ? 100 : 0)
    expect(made.tick(10_000).ejected).toEqual([])
  })

  test('the calls of one interval do not count in the next', () => {
    const made = detector(names(5))
    for (const id of names(5)) volume(made, id, 99, id === 'b0' ? 40 : 0)
    made.tick(10_000)
    for (const id of names(5)) volume(made, id, 99, id === 'b0' ? 40 : 0)
    expect(made.tick(20_000).ejected).toEqual([])
    expect(made.tick(30_000).ejected).toEqual([])
  })

  test('connections have success rates of their own when they are split', () => {
    const made = detector(names(5), { splitExternalLocalOriginErrors: true })
    for (const id of names(5)) volume(made, id, 200, id === 'b3' ? 90 : 0, 'local-origin-failure')
    expect(made.tick(10_000).ejected).toMatchObject([{ id: 'b3', reason: 'local-origin-success-rate' }])
  })
})

describe('failure percentages', () => {
  const options = { enforcingFailurePercentage: 100, enforcingSuccessRate: 0, failurePercentageThreshold: 40 }

  test('eject at the threshold and above, not below', () => {
    const made = detector(names(10), { ...options, maxEjectionPercent: 100 })
    const failed = [19, 20, 21, 0, 0, 0, 0, 0, 0, 0]
    for (const [index, id] of names(10).entries()) volume(made, id, 50, failed[index] ?? 0)
    expect(made.tick(10_000).ejected.map(({ id, reason }) => [id, reason])).toEqual([
      ['b1', 'failure-percentage'],
      ['b2', 'failure-percentage'],
    ])
  })

  test.each([
    ['fewer backends than 5', 4, 50],
    ['fewer calls than 50', 5, 49],
  ])('not with %s', (_, count, calls) => {
    const made = detector(names(count), options)
    for (const id of names(count)) volume(made, id, calls, 24)
    expect(made.tick(10_000).ejected).toEqual([])
  })

  test('by the defaults nobody is ejected for them', () => {
    const made = detector(names(5), { consecutive5xx: 0 })
    for (const id of names(5)) for (let i = 0; i < 60; i++) made.report(id, 500, 0)
    expect(made.tick(10_000).ejected).toEqual([])
  })
})
