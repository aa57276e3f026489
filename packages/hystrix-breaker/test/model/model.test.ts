import { Circuit, circuitSettings, Permit } from '@loadbearing/hystrix-breaker'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BreakerModel, type ModelOptions } from './breaker-model.ts'

type Step =
  | { readonly do: 'acquire' }
  | { readonly do: 'tick'; readonly ms: number }
  | { readonly do: 'success' | 'failure' | 'ignore'; readonly call: number }
  | { readonly do: 'fleet-opens'; readonly wait: number }
  | { readonly do: 'fleet-closes' }
  | { readonly do: 'gate'; readonly open: boolean }

const tiny: readonly ModelOptions[] = [
  {
    volumeThreshold: 2,
    errorThreshold: 0.5,
    sleepWindow: 2,
    probes: 2,
    successThreshold: 1,
    probeConcurrency: 2,
    probeTimeout: 2,
    window: { type: 'count', size: 2 },
  },
  {
    volumeThreshold: 1,
    errorThreshold: 1,
    sleepWindow: 1,
    probes: 2,
    successThreshold: 2,
    probeConcurrency: 1,
    probeTimeout: 3,
    window: { type: 'time', size: 4, buckets: 2 },
  },
]

// Calls are settled by their age among those unsettled: 0 is the oldest.
function differs(options: ModelOptions, steps: readonly Step[]): string | undefined {
  const circuit = new Circuit(circuitSettings(options))
  const model = new BreakerModel(options)
  const open: { permit: Permit; index: number }[] = []
  let now = 0
  circuit.gateProbes(() => model.gate)
  for (const [at, step] of steps.entries()) {
    if (step.do === 'tick') now += step.ms
    else if (step.do === 'acquire') {
      const permit = circuit.acquire(now)
      const index = model.acquire(now)
      if (permit instanceof Permit !== (index !== undefined)) return `step ${at}: model ${index}, at ${now}`
      if (permit instanceof Permit && index !== undefined) open.push({ permit, index })
    } else if (step.do === 'gate') model.gate = step.open
    else if (step.do === 'fleet-opens') {
      circuit.openWithFleet(step.wait, 1, now)
      model.openWithFleet(step.wait, now)
    } else if (step.do === 'fleet-closes') {
      circuit.closeWithFleet(now)
      model.closeWithFleet(now)
    } else {
      const [call] = open.splice(step.call, 1)
      if (call === undefined) continue
      circuit.settle(call.permit, step.do, now)
      model.settle(call.index, step.do, now)
    }
    if (circuit.state(now) !== model.state(now))
      return `step ${at}: ${circuit.state(now)}, by the model ${model.state(now)}, at ${now}`
  }
  return undefined
}

describe('against the brute-force model', () => {
  const alphabet: readonly Step[] = [
    { do: 'acquire' },
    { do: 'success', call: 0 },
    { do: 'failure', call: 0 },
    { do: 'failure', call: 1 },
    { do: 'ignore', call: 0 },
    { do: 'tick', ms: 1 },
  ]

  test.each(tiny)('every trace of 5 steps with orders of a fleet and a gate: %j', (options) => {
    const orders: readonly Step[] = [
      ...alphabet,
      { do: 'fleet-opens', wait: 0 },
      { do: 'fleet-opens', wait: 2 },
      { do: 'fleet-closes' },
      { do: 'gate', open: false },
      { do: 'gate', open: true },
    ]
    const faults: unknown[] = []
    let traces = 0
    const extend = (steps: Step[]): void => {
      if (steps.length === 5) {
        traces++
        const fault = differs(options, steps)
        if (fault !== undefined && faults.length < 3) faults.push({ fault, steps })
      } else for (const step of orders) extend([...steps, step])
    }
    extend([])
    expect(faults).toEqual([])
    expect(traces).toBe(orders.length ** 5)
  })

  test.each(tiny)('every trace of 7 steps, behind an opened circuit and a fresh one: %j', (options) => {
    const opened: Step[] = [
      { do: 'acquire' },
      { do: 'acquire' },
      { do: 'failure', call: 0 },
      { do: 'failure', call: 0 },
      { do: 'tick', ms: 1 },
    ]
    const faults: unknown[] = []
    let traces = 0
    const extend = (steps: Step[]): void => {
      if (steps.length === 7) {
        traces++
        for (const start of [[], opened]) {
          const fault = differs(options, [...start, ...steps])
          if (fault !== undefined && faults.length < 3) faults.push({ fault, steps: [...start, ...steps] })
        }
        return
      }
      for (const step of alphabet) extend([...steps, step])
    }
    // Without a first acquire or a first tick nothing happens that a shorter trace would not show.
    for (const step of alphabet.filter((each) => each.do === 'acquire' || each.do === 'tick')) extend([step])
    expect(faults).toEqual([])
    expect(traces).toBe(2 * alphabet.length ** 6)
  })

  test('random traces, options and windows', () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 4, arbitrary: fc.constant<Step>({ do: 'acquire' }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('success', 'failure'), call: fc.nat(4) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('ignore'), call: fc.nat(4) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('tick'), ms: fc.integer({ min: 1, max: 12 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('fleet-opens'), wait: fc.nat(12) }) },
      { weight: 1, arbitrary: fc.constant<Step>({ do: 'fleet-closes' }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('gate'), open: fc.boolean() }) },
    )
    const options: fc.Arbitrary<ModelOptions> = fc
      .record({
        volumeThreshold: fc.integer({ min: 0, max: 6 }),
        errorThreshold: fc.constantFrom(0.07, 0.25, 1 / 3, 0.5, 0.66, 1),
        sleepWindow: fc.integer({ min: 1, max: 10 }),
        probes: fc.integer({ min: 1, max: 4 }),
        success: fc.integer({ min: 1, max: 4 }),
        concurrency: fc.integer({ min: 1, max: 4 }),
        probeTimeout: fc.integer({ min: 1, max: 12 }),
        window: fc.oneof(
          fc.record({ type: fc.constant('count' as const), size: fc.integer({ min: 1, max: 8 }) }),
          fc
            .record({ width: fc.integer({ min: 1, max: 5 }), buckets: fc.integer({ min: 1, max: 5 }) })
            .map(({ width, buckets }) => ({ type: 'time' as const, size: width * buckets, buckets })),
        ),
      })
      .map(({ success, concurrency, ...rest }) => ({
        ...rest,
        successThreshold: Math.min(success, rest.probes),
        probeConcurrency: Math.min(concurrency, rest.probes),
      }))
    fc.assert(
      fc.property(options, fc.array(step, { maxLength: 60, size: 'max' }), (one, steps) => {
        expect(differs(one, steps)).toBe(undefined)
      }),
      { numRuns: 5000 },
    )
  })
})
