import { Circuit, type CircuitSettings, circuitSettings, Permit, presets } from '@loadbearing/hystrix-breaker'

/** What random traces came to. */
export interface LateOutcomes {
  readonly traces: number
  /** Outcomes of an older generation than the circuit's. */
  readonly late: number
  /** Those of them after which anything of the circuit was otherwise than before. */
  readonly changing: number
}

const settings: readonly CircuitSettings[] = [
  circuitSettings({ volumeThreshold: 2, probes: 2, sleepWindow: 10, probeTimeout: 20 }),
  circuitSettings({
    window: { type: 'count', size: 4 },
    volumeThreshold: 2,
    sleepWindow: 5,
    autoHalfOpen: true,
  }),
  circuitSettings({ window: false, consecutive: 2, sleepWindow: 7, probes: 3, successThreshold: 2 }),
  presets.hystrix({
    'circuitBreaker.requestVolumeThreshold': 2,
    'circuitBreaker.sleepWindowInMilliseconds': 10,
  }),
  presets.resilience4j({
    minimumNumberOfCalls: 2,
    slidingWindowSize: 4,
    permittedNumberOfCallsInHalfOpenState: 2,
    waitDurationInOpenState: 10,
    maxWaitDurationInHalfOpenState: 15,
  }),
]

/** Random traces in which calls overlap and settle in any order, many of them after the state that admitted them. */
export function lateOutcomes(traces: number, seed: number): LateOutcomes {
  const random = below(seed)
  let late = 0
  let changing = 0
  for (let trace = 0; trace < traces; trace++) {
    const circuit = new Circuit(settings[trace % settings.length] ?? circuitSettings({}))
    const out: Permit[] = []
    let now = 0
    for (let step = 0; step < 16; step++) {
      now += random(6)
      const answer = circuit.acquire(now)
      if (answer instanceof Permit) out.push(answer)
      if (out.length === 0 || (random(3) === 0 && out.length < 10)) continue
      const [permit] = out.splice(random(out.length), 1)
      if (permit === undefined) continue
      const isLate = permit.generation !== circuit.generation
      const before = isLate ? look(circuit, now) : ''
      circuit.settle(
        permit,
        (['success', 'failure', 'failure', 'ignore'] as const)[random(4)] ?? 'ignore',
        now,
      )
      if (!isLate) continue
      late++
      if (look(circuit, now) !== before) changing++
    }
  }
  return { traces, late, changing }
}

function look(circuit: Circuit, now: number): string {
  const { total, failures, slow } = circuit.counts(now)
  return `${circuit.state(now)} ${circuit.generation} ${total} ${failures} ${slow} ${circuit.probesOut(now)}`
}

/** Whole numbers from 0 to below the argument, the same for the same seed (Marsaglia's xorshift, 32 bits). */
function below(seed: number): (end: number) => number {
  let word = seed | 1
  return (end) => {
    word ^= word << 13
    word ^= word >>> 17
    word ^= word << 5
    return (word >>> 0) % end
  }
}
