import fc from 'fast-check'
import { build } from 'hdr-histogram-js'
import { expect, test } from 'vitest'
import { LatencyHistogram } from './latency-histogram.ts'

const percents = [0, 1, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100]

test('percentiles are within 2 % of HdrHistogram with three digits', () => {
  const durations = fc.array(fc.double({ min: 0.05, max: 1_000_000, noNaN: true }), {
    minLength: 1,
    maxLength: 300,
    size: 'max',
  })
  fc.assert(
    fc.property(durations, (values) => {
      const ours = new LatencyHistogram(60_000, 6)
      const oracle = build({
        lowestDiscernibleValue: 1,
        highestTrackableValue: 2 ** 31,
        numberOfSignificantValueDigits: 3,
      })
      for (const value of values) {
        ours.record(0, value)
        oracle.recordValue(Math.trunc(value * 1000))
      }
      const summary = ours.summary(0)
      expect(summary.count).toBe(values.length)
      expect(summary.mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 6)
      for (const percent of percents) {
        // Those of HdrHistogram are within 0.1 %.
        const expected = Math.max(oracle.getValueAtPercentile(percent), oracle.minNonZeroValue) / 1000
        expect(Math.abs(summary.percentile(percent) / expected - 1)).toBeLessThan(0.02)
      }
    }),
    { numRuns: 300 },
  )
})

test('what rolls out no longer counts; a copy holds the same', () => {
  const step = fc.record({ wait: fc.nat(30_000), duration: fc.integer({ min: 1, max: 5000 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const ours = new LatencyHistogram(60_000, 6)
      const all: { at: number; duration: number }[] = []
      let now = 0
      for (const { wait, duration } of steps) {
        now += wait
        ours.record(now, duration)
        all.push({ at: now, duration })
        const since = (Math.floor(now / 10_000) - 5) * 10_000
        const kept = all.filter(({ at }) => at >= since)
        for (const each of [ours, ours.copy(now)]) {
          const summary = each.summary(now)
          expect(summary.count).toBe(kept.length)
          const largest = Math.max(...kept.map((one) => one.duration))
          expect(Math.abs(summary.percentile(100) / largest - 1)).toBeLessThan(0.02)
        }
      }
    }),
    { numRuns: 200 },
  )
})

test.each([
  ['nothing', 0],
  ['a negative time, as a clock that is wrong gives', -5],
  ['not a number', Number.NaN],
  ['longer than it can tell', 1e12],
  ['without end', Infinity],
])('%s does not break it', (_, duration) => {
  const ours = new LatencyHistogram(1000, 2)
  ours.record(0, duration)
  expect(ours.summary(0).count).toBe(1)
  expect(ours.summary(0).percentile(50)).toBeGreaterThan(0)
  expect(ours.summary(0).mean).toBeGreaterThanOrEqual(0)
})

test('empty', () => {
  const { count, mean, percentile } = new LatencyHistogram(1000, 2).summary(5)
  expect([count, mean, percentile(50)]).toEqual([0, 0, 0])
})
