import { callEvents } from '../metrics/call-event.ts'
import type { State } from '../settings.ts'
import type { WatchedBreaker } from './breaker-watch.ts'

/** What is measured of a breaker, before any system's names and formats. */
export interface BreakerMetric {
  /** Words between dots: `hystrix_breaker.window.calls`. */
  readonly name: string
  readonly help: string
  /** A counter only grows while its breaker is in the registry. */
  readonly type: 'counter' | 'gauge'
  read(watched: WatchedBreaker): readonly Sample[]
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const states: readonly State[] = [
  'closed',
  'open',
  'half-open',
  'forced-open',
  'forced-closed',
  'metrics-only',
  'disabled',
]

export const breakerMetrics: readonly BreakerMetric[] = [
  {
    name: 'hystrix_breaker.state',
    help: 'Whether the circuit is in the state of the label: 1 or 0',
    type: 'gauge',
    read: ({ breaker: { state: now } }) =>
      states.map((state) => ({ labels: { state }, value: now === state ? 1 : 0 })),
  },
  {
    name: 'hystrix_breaker.transitions',
    help: 'Times the circuit came into the state of the label',
    type: 'counter',
    read: ({ transitions }) =>
      states.map((state) => ({ labels: { state }, value: transitions.get(state) ?? 0 })),
  },
  {
    name: 'hystrix_breaker.events',
    help: 'What happened to calls, by the names of Hystrix',
    type: 'counter',
    read: ({ breaker }) => {
      const total = breaker.metrics.total()
      return callEvents.map((event) => ({ labels: { event }, value: total[event] }))
    },
  },
  ofBreaker('running', 'Calls whose work is going on', ({ breaker }) => breaker.metrics.running),
  ofBreaker('queued', 'Calls that wait for a place', ({ breaker }) => breaker.metrics.queued),
  ofBreaker('window.calls', 'Outcomes in the window', ({ breaker }) => breaker.counts.total),
  ofBreaker('window.failures', 'Failures in the window', ({ breaker }) => breaker.counts.failures),
  ofBreaker('window.slow', 'Slow calls in the window', ({ breaker }) => breaker.counts.slow),
]

/** The labels of all samples of a breaker. */
export function labelsOf({ breaker: { name, group } }: WatchedBreaker): { breaker: string; group: string } {
  return { breaker: name, group }
}

function ofBreaker(name: string, help: string, valueOf: (watched: WatchedBreaker) => number): BreakerMetric {
  return {
    name: `hystrix_breaker.${name}`,
    help,
    type: 'gauge',
    read: (watched) => [{ labels: {}, value: valueOf(watched) }],
  }
}

/** Of the histogram of durations. */
export const durationMetric: {
  readonly name: string
  readonly help: string
  readonly bounds: readonly number[]
} = {
  name: 'hystrix_breaker.call.duration',
  help: 'Time that callers waited for calls that were let through',
  /** In seconds; those of prom-client, and two below for fast calls. */
  bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
}
