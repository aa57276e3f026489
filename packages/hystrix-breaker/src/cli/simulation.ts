import type { EventCounts } from '../metrics/event-counter.ts'
import type { State } from '../settings.ts'
import { columnsOf, plain } from './arguments.ts'
import type { Scenario, ScenarioStep } from './scenario.ts'
import { ScenarioRun } from './scenario-run.ts'
import { VirtualClock } from './virtual-clock.ts'

/** One thing that happened, `at` milliseconds after the beginning. */
type TraceEntry =
  | { readonly at: number; readonly name: string; readonly step: ScenarioStep }
  | {
      readonly at: number
      readonly name: string
      readonly from: State
      readonly to: State
      readonly reason: string
    }

export const outcomes = ['success', 'failure', 'timeout', 'rejected', 'shortCircuited'] as const
type SimulatedOutcome = (typeof outcomes)[number]

/** What came of one breaker. */
export interface SimulatedBreaker {
  readonly name: string
  readonly total: EventCounts
  /** The state from a time on, in the order of time; the first one from 0. */
  readonly states: readonly { readonly at: number; readonly state: State }[]
  /** How the calls ended, in slices of the duration. */
  readonly slices: readonly Readonly<Record<SimulatedOutcome, number>>[]
}

export interface Simulation {
  readonly duration: number
  readonly trace: readonly TraceEntry[]
  readonly breakers: readonly SimulatedBreaker[]
}

const sliceCount = 160

/** Runs a scenario in virtual time: the same scenario gives the same simulation. */
export async function simulated(scenario: Scenario): Promise<Simulation> {
  const { duration } = scenario
  const clock = new VirtualClock()
  const trace: TraceEntry[] = []
  const slices = new Map(scenario.breakers.map(({ name }) => [name, emptySlices()]))
  await using run = new ScenarioRun(scenario, clock, {
    step: (name, step, at) => trace.push({ at, name, step }),
    transition: (name, { from, to, reason, at }) => trace.push({ at, name, from, to, reason }),
    call: (name, event, at) => {
      const outcome = outcomeOf.get(event)
      const slice = slices.get(name)?.[Math.min(sliceCount - 1, Math.floor((at / duration) * sliceCount))]
      if (outcome !== undefined && slice !== undefined) slice[outcome]++
    },
  })
  const initial = run.breakers.map(({ state }) => state)
  run.begin()
  await clock.advance(duration)
  // A state that ended by itself is told of when somebody looks.
  for (const breaker of run.breakers) void breaker.state
  const all = trace.filter(({ at }) => at <= duration).toSorted((a, b) => a.at - b.at)
  return {
    duration,
    trace: all,
    breakers: run.breakers.map((breaker, index) => ({
      name: breaker.name,
      total: breaker.metrics.total(),
      states: [
        { at: 0, state: initial[index] ?? 'closed' },
        ...all.flatMap((entry) =>
          'to' in entry && entry.name === breaker.name ? [{ at: entry.at, state: entry.to }] : [],
        ),
      ],
      slices: slices.get(breaker.name) ?? [],
    })),
  }
}

const outcomeOf: ReadonlyMap<string, SimulatedOutcome> = new Map([
  ['SUCCESS', 'success'],
  ['FAILURE', 'failure'],
  ['TIMEOUT', 'timeout'],
  ['THREAD_POOL_REJECTED', 'rejected'],
  ['SEMAPHORE_REJECTED', 'rejected'],
  ['SHORT_CIRCUITED', 'shortCircuited'],
])

function emptySlices(): Record<SimulatedOutcome, number>[] {
  return Array.from({ length: sliceCount }, () => ({
    success: 0,
    failure: 0,
    timeout: 0,
    rejected: 0,
    shortCircuited: 0,
  }))
}

/** The trace, and a table of what came of each breaker. */
export function simulationText({ duration, trace, breakers }: Simulation): string {
  const lines = columnsOf(
    trace.map((entry) => [seconds(entry.at).padStart(10), plain(entry.name), happened(entry)]),
  )
  const table = columnsOf([
    [
      'NAME',
      'CALLS',
      'SUCCESS',
      'FAILURE',
      'TIMEOUT',
      'REJECTED',
      'SHORT-CIRCUITED',
      'FALLBACK',
      'OPENED',
      'OPEN',
    ],
    ...breakers.map(({ name, total, states }) => [
      plain(name),
      callsOf(total),
      total.SUCCESS,
      total.FAILURE,
      total.TIMEOUT,
      total.THREAD_POOL_REJECTED + total.SEMAPHORE_REJECTED,
      total.SHORT_CIRCUITED,
      total.FALLBACK_SUCCESS,
      states.slice(1).filter(({ state }) => state === 'open').length,
      `${((100 * timeOpen(states, duration)) / duration).toFixed(1)} %`,
    ]),
  ])
  return `${[...lines, '', ...table].join('\n')}\n`
}

/** Each entry of the trace and each breaker as a line of JSON. */
export function simulationJson({ trace, breakers, duration }: Simulation): string {
  const lines = [
    ...trace.map((entry) => ({ ...entry, at: rounded(entry.at) })),
    ...breakers.map(({ name, total, states }) => ({
      name,
      calls: callsOf(total),
      events: Object.fromEntries(Object.entries(total).filter(([, count]) => count > 0)),
      timeOpen: rounded(timeOpen(states, duration)),
    })),
  ]
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

function happened(entry: TraceEntry): string {
  if ('to' in entry) return `${entry.from} -> ${entry.to} (${entry.reason})`
  const { rate, takes, fails, hangs, do: action } = entry.step
  const parts = [
    rate === undefined ? '' : `rate ${rate}/s`,
    takes === undefined ? '' : `takes ${[...new Set(takes)].join(' to ')} ms`,
    fails === undefined ? '' : `fails ${fails}`,
    hangs === undefined ? '' : `hangs ${hangs}`,
    action ?? '',
  ]
  return `step: ${parts.filter((part) => part !== '').join(', ')}`
}

function callsOf(total: EventCounts): number {
  return (
    total.SUCCESS +
    total.FAILURE +
    total.TIMEOUT +
    total.THREAD_POOL_REJECTED +
    total.SEMAPHORE_REJECTED +
    total.SHORT_CIRCUITED
  )
}

function timeOpen(states: SimulatedBreaker['states'], duration: number): number {
  let sum = 0
  for (const [index, { at, state }] of states.entries()) {
    const until = states[index + 1]?.at ?? duration
    if (state === 'open' || state === 'forced-open') sum += until - at
  }
  return sum
}
