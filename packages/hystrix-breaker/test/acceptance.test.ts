import { Circuit, circuitSettings, Permit, presets } from '@loadbearing/hystrix-breaker'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Trace } from './traces.ts'

const defaults = circuitSettings()

function opened(settings = defaults): Trace {
  const trace = new Trace(settings)
  for (let call = 0; trace.state === 'closed' && call < 1000; call++) trace.call('failure')
  expect(trace.state).toBe('open')
  return trace
}

describe('acceptance list of the specification, section 10', () => {
  test('1: opens on the 20th outcome of which 10 failed; 19 failures leave it closed', () => {
    const half = new Trace(defaults)
    half.calls(10, 'success')
    expect(half.calls(9, 'failure')).toBe('closed')
    expect(half.call('failure')).toBe('open')
    expect(new Trace(defaults).calls(19, 'failure')).toBe('closed')
  })

  test('1, variant: refusals and ignored outcomes do not count', () => {
    const trace = new Trace(defaults)
    trace.calls(19, 'failure')
    expect(trace.calls(1000, 'ignore')).toBe('closed')
    expect(trace.call('failure')).toBe('open')
    for (let call = 0; call < 100; call++) trace.refused()
    expect(trace.circuit.counts(trace.now).total).toBe(0)
  })

  test('2: the Hystrix preset stays closed at 49.9 % and opens at 50 %', () => {
    const trace = new Trace(presets.hystrix({ 'circuitBreaker.requestVolumeThreshold': 1000 }))
    trace.calls(501, 'success')
    expect(trace.calls(499, 'failure')).toBe('closed')
    // 500 of 1001, then 501 of 1002
    expect(trace.call('failure')).toBe('closed')
    expect(trace.call('failure')).toBe('open')
    const even = new Trace(presets.hystrix({ 'circuitBreaker.requestVolumeThreshold': 1000 }))
    even.calls(500, 'success')
    expect(even.calls(499, 'failure')).toBe('closed')
    expect(even.call('failure')).toBe('open')
  })

  test('2: percentages are cut off as in Hystrix: 29 of 50 is 57.99999999999999, and not 58', () => {
    for (const [threshold, state] of [
      [58, 'closed'],
      [57, 'open'],
    ] as const) {
      const trace = new Trace(
        presets.hystrix({
          'circuitBreaker.requestVolumeThreshold': 50,
          'circuitBreaker.errorThresholdPercentage': threshold,
        }),
      )
      trace.calls(21, 'success')
      expect(trace.calls(29, 'failure')).toBe(state)
    }
  })

  test('3: of 10,000 calls when the wait ends one is let through, the others learn when to come back', () => {
    const trace = opened()
    trace.now += 4999
    expect(trace.refused().retryAfter).toBe(1)
    trace.now += 1
    const answers = Array.from({ length: 10_000 }, () => trace.circuit.acquire(trace.now))
    expect(answers.filter((answer) => answer instanceof Permit)).toHaveLength(1)
    for (const answer of answers) {
      if (!(answer instanceof Permit)) expect(answer.retryAfter).toBeGreaterThanOrEqual(0)
    }
  })

  test('5: an outcome of an older generation never changes state, counts or permits', () => {
    const outcome = fc.constantFrom('success' as const, 'failure' as const, 'ignore' as const)
    const settings = circuitSettings({ volumeThreshold: 3, probes: 2, sleepWindow: 10, probeTimeout: 20 })
    let fenced = 0
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(5), fc.nat(8), outcome), { minLength: 20, maxLength: 100, size: 'max' }),
        (steps) => {
          const late: Permit[] = []
          const circuit = new Circuit(settings, { late: (permit) => late.push(permit) })
          const out: Permit[] = []
          let now = 0
          for (const [wait, which, how] of steps) {
            now += wait
            const answer = circuit.acquire(now)
            if (answer instanceof Permit) out.push(answer)
            if (which < 4 && out.length < 20) continue
            const [permit] = out.splice(which % out.length, 1)
            if (permit === undefined) continue
            if (permit.generation === circuit.generation) {
              circuit.settle(permit, how, now)
              continue
            }
            const seen = (): unknown => [
              circuit.state(now),
              circuit.generation,
              circuit.counts(now),
              circuit.probesOut(now),
            ]
            const before = seen()
            circuit.settle(permit, how, now)
            expect(seen()).toEqual(before)
            fenced++
          }
        },
      ),
      { numRuns: 3000 },
    )
    expect(fenced).toBeGreaterThan(10_000)
  })

  test('every transition begins a generation, that to half-open too', () => {
    const told: [state: string, generation: number][] = []
    const circuit = new Circuit(circuitSettings({ volumeThreshold: 1 }), {
      transition: ({ to, generation }) => told.push([to, generation]),
    })
    for (const [now, outcome] of [
      [0, 'failure'],
      [5000, 'success'],
    ] as const) {
      const permit = circuit.acquire(now)
      if (permit instanceof Permit) circuit.settle(permit, outcome, now)
    }
    circuit.force('forced-open', 5000)
    circuit.force('forced-open', 5000)
    circuit.reset(5000)
    expect(told).toEqual([
      ['open', 1],
      ['half-open', 2],
      ['closed', 3],
      ['forced-open', 4],
      ['forced-open', 5],
      ['closed', 6],
    ])
  })

  test('6: a probe that hangs is given up with its lease, and the next one may come', () => {
    const trace = opened()
    trace.now += 5000
    const hung = trace.acquire()
    trace.now += 4999
    expect(trace.state).toBe('half-open')
    trace.now += 1
    expect(trace.state).toBe('open')
    expect(trace.settle(hung, 'success')).toBe('open')
    trace.now += 5000
    expect(trace.call('success')).toBe('closed')
  })

  test('6: the lease ends when it is due, whenever somebody looks', () => {
    const trace = opened()
    trace.now += 5000
    trace.acquire()
    trace.now += 5000 + 4999
    expect(trace.refused()).toEqual({ state: 'open', retryAfter: 1 })
  })

  test('a circuit that opens and half-opens by itself is looked at after ages in one step', () => {
    const told: number[] = []
    const settings = presets.resilience4j({
      minimumNumberOfCalls: 1,
      waitDurationInOpenState: 2,
      maxWaitDurationInHalfOpenState: 3,
      automaticTransitionFromOpenToHalfOpenEnabled: true,
    })
    // Opened at 0: half-open from 2, open from 5, half-open from 7, …
    for (const [now, state] of [
      [4, 'half-open'],
      [6, 'open'],
      [1_000_000_000_000_001, 'open'],
      [1_000_000_000_000_002, 'half-open'],
      [1_000_000_000_000_004, 'half-open'],
      [1_000_000_000_000_005, 'open'],
    ] as const) {
      const circuit = new Circuit(settings, { transition: ({ at }) => told.push(at) })
      const permit = circuit.acquire(0)
      if (permit instanceof Permit) circuit.settle(permit, 'failure', 0)
      expect(circuit.state(now)).toBe(state)
    }
    expect(told.length).toBeLessThan(50)
  })

  // After whole windows, in which the slice of then is that of now, and after others.
  test.each([10_000, 10_500, 17_000, 3_600_000, 3_605_500])(
    '17: failures older than the window never count, after %i idle ms neither',
    (idle) => {
      const trace = new Trace(circuitSettings({ volumeThreshold: 5 }))
      trace.calls(4, 'failure')
      trace.now += idle
      expect(trace.call('failure')).toBe('closed')
      expect(trace.circuit.counts(trace.now).total).toBe(1)
    },
  )

  test.each([
    ['volumeThreshold', { volumeThreshold: -1 }],
    ['volumeThreshold', { volumeThreshold: 1.5 }],
    ['errorThreshold', { errorThreshold: 0 }],
    ['errorThreshold', { errorThreshold: Number.NaN }],
    ['sleepWindow', { sleepWindow: 0 }],
    ['sleepWindow', { sleepWindow: '5 parsecs' }],
    ['sleepWindow(1)', { sleepWindow: () => -1 }],
    ['probes', { probes: 0 }],
    ['successThreshold', { probes: 2, successThreshold: 3 }],
    ['probeTimeout', { probeTimeout: Number.POSITIVE_INFINITY }],
    ['window.buckets', { window: { type: 'time', size: 1000, buckets: 0 } as const }],
    ['window.size', { window: { type: 'time', size: 1000, buckets: 3 } as const }],
    ['window.size', { window: { type: 'count', size: 0 } as const }],
    ['slow.rate', { slow: { over: 1, rate: 2 } }],
    ['consecutive', { window: false } as const],
    ['__proto__', JSON.parse('{"__proto__":{"probes":3}}')],
    ['sleepWindw', { sleepWindw: 5 }],
  ])('27: a RangeError names %s', (name, options) => {
    let thrown: unknown
    try {
      circuitSettings(options)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(RangeError)
    expect(thrown).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining(name) })
  })
})

describe('never stuck', () => {
  const settings = {
    native: circuitSettings({ volumeThreshold: 3, probes: 3, successThreshold: 2, probeConcurrency: 2 }),
    consecutive: circuitSettings({ window: false, consecutive: 2 }),
    hystrix: presets.hystrix({ 'circuitBreaker.requestVolumeThreshold': 3 }),
    resilience4j: presets.resilience4j({
      minimumNumberOfCalls: 3,
      permittedNumberOfCallsInHalfOpenState: 3,
      maxWaitDurationInHalfOpenState: 7000,
    }),
    polly: presets.polly({ minimumThroughput: 3 }),
    opossum: presets.opossum(),
    envoyOutlier: presets.envoyOutlier(),
  }
  const step = fc.tuple(
    fc.constantFrom('acquire', 'success', 'failure', 'ignore', 'wait'),
    fc.integer({ min: 1, max: 40_000 }),
  )

  test.each(Object.entries(settings))(
    '%s: successes after the wait close it, whatever was before',
    (_, one) => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
          const circuit = new Circuit(one)
          const out: Permit[] = []
          let now = 0
          for (const [what, amount] of steps) {
            if (what === 'wait') now += amount
            else if (what === 'acquire') {
              const answer = circuit.acquire(now)
              if (answer instanceof Permit) out.push(answer)
            } else {
              const [permit] = out.splice(amount % Math.max(1, out.length), 1)
              if (permit !== undefined && (what === 'success' || what === 'failure' || what === 'ignore'))
                circuit.settle(permit, what, now)
            }
            expect(circuit.probesOut(now)).toBeLessThanOrEqual(one.probeConcurrency)
          }
          // All leases over, then the longest wait.
          for (let round = 0; round < 3; round++) now += 400_000
          for (let call = 0; call < 20 && circuit.state(now) !== 'closed'; call++) {
            const answer = circuit.acquire(now)
            if (answer instanceof Permit) circuit.settle(answer, 'success', now)
            else now += 400_000
          }
          expect(circuit.state(now)).toBe('closed')
        }),
        { numRuns: 500 },
      )
    },
  )
})
