import fc from 'fast-check'
import { expect, test } from 'vitest'
import { breakerSettings } from '../breaker-options.ts'
import { realClock } from '../ports.ts'
import { callEvents, placeOf } from './call-event.ts'
import { CallMetrics } from './call-metrics.ts'
import { EventCounter } from './event-counter.ts'
import { LatencyHistogram } from './latency-histogram.ts'

test('whenever somebody looks, the books hold what they would if each call were counted when it ended', () => {
  const ends = fc.record({
    do: fc.constant('end' as const),
    place: fc.constantFrom(placeOf.SUCCESS, placeOf.FAILURE, placeOf.TIMEOUT),
    took: fc.double({ min: 0, max: 20_000, noNaN: true }),
    times: fc.integer({ min: 1, max: 150 }),
  })
  const step = fc.oneof(
    { arbitrary: ends, weight: 6 },
    fc.record({ do: fc.constant('count' as const), place: fc.nat(callEvents.length - 1) }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.double({ min: 0, max: 15_000, noNaN: true }) }),
    fc.record({ do: fc.constant('look' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      let now = 0
      const settings = breakerSettings({ clock: { ...realClock, monotonic: () => now } }, false)
      const { events, latencies } = settings.metrics
      if (latencies === undefined) throw new Error('a breaker has latencies by default')
      const books = new CallMetrics(settings)
      const counter = new EventCounter(events.size, events.buckets)
      const histogram = new LatencyHistogram(latencies.size, latencies.buckets)
      for (const each of steps) {
        if (each.do === 'pass') now += each.ms
        else if (each.do === 'count') {
          books.count(now, each.place)
          counter.add(now, each.place)
        } else if (each.do === 'end') {
          books.running = each.times
          for (let running = each.times; running > 0; running--) {
            books.end(now, now - each.took, each.place)
            counter.end(now, each.place, running)
            histogram.record(now, now - (now - each.took))
          }
        } else {
          expect(books.rolling()).toEqual(counter.rolling(now))
          expect(books.total()).toEqual(counter.total())
          expect(books.rollingMaxRunning()).toBe(counter.rollingMaxRunning(now))
          const [ours, theirs] = [books.latency(), histogram.summary(now)]
          expect([ours.count, ours.mean]).toEqual([theirs.count, theirs.mean])
          for (const percent of [50, 99]) expect(ours.percentile(percent)).toBe(theirs.percentile(percent))
        }
      }
    }),
    { numRuns: 300 },
  )
})
