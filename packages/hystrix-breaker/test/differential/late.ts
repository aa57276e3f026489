import { Circuit, Permit, presets } from '@loadbearing/hystrix-breaker'
import type { TraceCase } from './arbitraries.ts'

type TraceEvent = TraceCase['events'][number]

/** The events that settle a call in a later generation than it was admitted in. */
export function lateEvents({ options, events }: TraceCase): ReadonlySet<TraceEvent> {
  const late = new Set<TraceEvent>()
  const circuit = new Circuit(presets.resilience4j(options))
  const calls = new Map<string, Permit>()
  for (const event of events) {
    const { at, do: action, call = '' } = event
    if (action === 'acquire') {
      const answer = circuit.acquire(at)
      if (answer instanceof Permit) calls.set(call, answer)
    } else if (action === 'success' || action === 'failure' || action === 'ignore') {
      const permit = calls.get(call)
      if (permit === undefined) continue
      if (permit.generation !== circuit.generation) late.add(event)
      circuit.settle(permit, action, at)
    } else if (action === 'reset') circuit.reset(at)
    else if (action === 'force-open') circuit.force('forced-open', at)
    else circuit.force(action === 'disable' ? 'disabled' : 'forced-closed', at)
  }
  return late
}

export function settlesLate(trace: TraceCase): boolean {
  return lateEvents(trace).size > 0
}

/** The trace without those events. What is left is nowhere late, for a late outcome changes nothing. */
export function inTime(trace: TraceCase): TraceCase {
  const late = lateEvents(trace)
  return { ...trace, events: trace.events.filter((event) => !late.has(event)) }
}
