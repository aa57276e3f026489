import { describe, expect, test } from 'vitest'
import { Trace } from '../test/traces.ts'
import { Circuit } from './circuit.ts'
import type { Transition } from './circuit-observer.ts'
import { circuitSettings } from './circuit-options.ts'
import { isResilienceError } from './errors.ts'
import { Permit } from './permit.ts'
import { exponential } from './policy/backoff.ts'
import { presets } from './preset/presets.ts'

const quick = circuitSettings({ volumeThreshold: 1, sleepWindow: 100, probeTimeout: 50 })

function opened(settings = quick): Trace {
  const trace = new Trace(settings)
  expect(trace.call('failure')).toBe('open')
  return trace
}

describe('half-open', () => {
  test('the window is empty after a close: one failure does not reopen', () => {
    const trace = new Trace(circuitSettings({ volumeThreshold: 2, sleepWindow: 100 }))
    trace.calls(2, 'failure')
    trace.now += 100
    expect(trace.call('success')).toBe('closed')
    expect(trace.call('failure')).toBe('closed')
  })

  test('a late failure does not fail the probe, a late success does not close', () => {
    const trace = new Trace(circuitSettings({ volumeThreshold: 1, sleepWindow: 100 }))
    const lateFailure = trace.acquire()
    const lateSuccess = trace.acquire()
    trace.call('failure')
    trace.now += 100
    const probe = trace.acquire()
    expect(trace.settle(lateSuccess, 'success')).toBe('half-open')
    expect(trace.settle(lateFailure, 'failure')).toBe('half-open')
    expect(trace.settle(probe, 'success')).toBe('closed')
  })

  test('an ignored probe gives its permit back, a second settle does nothing', () => {
    const trace = opened()
    trace.now += 100
    const probe = trace.acquire()
    trace.refused()
    expect(trace.settle(probe, 'ignore')).toBe('half-open')
    expect(trace.settle(probe, 'failure')).toBe('half-open')
    expect(trace.call('success')).toBe('closed')
  })

  test('opens as soon as the successes cannot be reached, with the rest of the probes out', () => {
    const trace = opened(
      circuitSettings({ volumeThreshold: 1, sleepWindow: 100, probes: 4, successThreshold: 3 }),
    )
    trace.now += 100
    const probes = [trace.acquire(), trace.acquire(), trace.acquire(), trace.acquire()] as const
    trace.refused()
    expect(trace.settle(probes[0], 'failure')).toBe('half-open')
    expect(trace.settle(probes[1], 'failure')).toBe('open')
    expect(trace.settle(probes[2], 'success')).toBe('open')
  })

  test('leases end in their order, each at its time', () => {
    const trace = opened(
      circuitSettings({
        volumeThreshold: 1,
        sleepWindow: 100,
        probes: 3,
        successThreshold: 2,
        probeTimeout: 50,
      }),
    )
    trace.now += 100
    trace.acquire()
    trace.now += 10
    trace.acquire()
    trace.now = 1000
    // 150 and 160: open since 160, so that the wait is over at 260
    expect(trace.state).toBe('open')
    expect(trace.call('success')).toBe('half-open')
    const transitions: Transition[] = []
    const circuit = new Circuit(quick, { transition: (each) => transitions.push(each) })
    const first = circuit.acquire(0)
    if (first instanceof Permit) circuit.settle(first, 'failure', 0)
    circuit.acquire(100)
    circuit.state(900)
    expect(transitions.map(({ to, reason, at }) => [to, reason, at])).toEqual([
      ['open', 'failure-rate', 0],
      ['half-open', 'wait-over', 100],
      ['open', 'probes-failed', 150],
    ])
  })

  test('the open time grows with each failed probe and starts again after a close', () => {
    const trace = opened(
      circuitSettings({ volumeThreshold: 1, sleepWindow: exponential({ initial: 100, max: 300 }) }),
    )
    const waits: (number | undefined)[] = []
    for (let round = 0; round < 4; round++) {
      const { retryAfter } = trace.refused()
      waits.push(retryAfter)
      trace.now += retryAfter ?? 0
      trace.call(round === 3 ? 'success' : 'failure')
    }
    expect(waits).toEqual([100, 200, 300, 300])
    trace.call('failure')
    expect(trace.refused().retryAfter).toBe(100)
  })
})

describe('what opens', () => {
  test('slow calls, strictly above the limit; slow and failed counts in both rates', () => {
    const settings = circuitSettings({ volumeThreshold: 2, errorThreshold: 1, slow: { over: 10, rate: 1 } })
    const fast = new Trace(settings)
    fast.call('success', 10)
    expect(fast.call('success', 10)).toBe('closed')
    const slow = new Trace(settings)
    slow.call('failure', 11)
    expect(slow.circuit.counts(slow.now)).toEqual({ total: 1, failures: 1, slow: 1 })
    expect(slow.call('success', 11)).toBe('open')
  })

  test('failures in a row, beside a window or alone', () => {
    const trace = new Trace(circuitSettings({ window: false, consecutive: 3 }))
    trace.calls(2, 'failure')
    trace.call('success')
    trace.calls(2, 'failure')
    expect(trace.call('failure')).toBe('open')
    expect(new Trace(circuitSettings({ consecutive: 3 })).calls(3, 'failure')).toBe('open')
  })

  test('a count window judges min(volumeThreshold, size) calls', () => {
    const trace = new Trace(circuitSettings({ window: { type: 'count', size: 4 } }))
    expect(trace.calls(3, 'failure')).toBe('closed')
    expect(trace.call('failure')).toBe('open')
  })

  test.each([
    ['opossum, above', presets.opossum({ volumeThreshold: 4 }), 'closed'],
    ['polly, from', presets.polly({ minimumThroughput: 4, failureRatio: 0.5 }), 'open'],
    [
      'resilience4j, from',
      presets.resilience4j({ minimumNumberOfCalls: 4, failureRateThreshold: 50 }),
      'open',
    ],
  ])('half of the calls failed: %s', (_, settings, state) => {
    const trace = new Trace(settings)
    trace.calls(2, 'success')
    expect(trace.calls(2, 'failure')).toBe(state)
  })
})

describe('waits', () => {
  test.each([
    ['native', circuitSettings({ volumeThreshold: 1, sleepWindow: 1000 }), 1000],
    [
      'hystrix',
      presets.hystrix({
        'circuitBreaker.requestVolumeThreshold': 1,
        'circuitBreaker.sleepWindowInMilliseconds': 1000,
      }),
      1001,
    ],
    ['resilience4j', presets.resilience4j({ minimumNumberOfCalls: 1, waitDurationInOpenState: 1000 }), 1001],
  ])('%s', (_, settings, from) => {
    const trace = opened(settings)
    trace.now += from - 1
    trace.refused()
    expect(trace.state).toBe('open')
    trace.now += 1
    trace.acquire()
    expect(trace.state).toBe('half-open')
  })

  test('half-opens by itself where it is told to, at its time', () => {
    const trace = opened(circuitSettings({ volumeThreshold: 1, sleepWindow: 100, autoHalfOpen: true }))
    trace.now += 99
    expect(trace.state).toBe('open')
    trace.now += 1
    expect(trace.state).toBe('half-open')
  })

  test('resilience4j: the half-open state as a whole ends, with or without a probe out', () => {
    const options = {
      minimumNumberOfCalls: 1,
      waitDurationInOpenState: 100,
      permittedNumberOfCallsInHalfOpenState: 2,
      maxWaitDurationInHalfOpenState: 50,
    }
    const trace = opened(presets.resilience4j(options))
    trace.now += 101
    trace.acquire()
    trace.now += 50
    expect(trace.state).toBe('open')
    const closing = opened(presets.resilience4j({ ...options, transitionToStateAfterWaitDuration: 'CLOSED' }))
    closing.now += 101
    closing.acquire()
    closing.now += 50
    expect(closing.state).toBe('closed')
  })
})

describe('forced states', () => {
  test('refuse or admit all, count or not, and are left by reset alone', () => {
    const trace = opened()
    trace.circuit.force('forced-closed', trace.now)
    expect(trace.calls(50, 'failure')).toBe('forced-closed')
    expect(trace.circuit.counts(trace.now).failures).toBe(50)
    trace.circuit.force('forced-closed', trace.now)
    expect(trace.circuit.counts(trace.now).failures).toBe(0)
    trace.circuit.force('disabled', trace.now)
    expect(trace.calls(50, 'failure')).toBe('disabled')
    expect(trace.circuit.counts(trace.now).total).toBe(0)
    trace.circuit.force('forced-open', trace.now)
    trace.now += 1e9
    expect(trace.refused()).toEqual({ state: 'forced-open', retryAfter: undefined })
    trace.circuit.reset(trace.now)
    expect(trace.state).toBe('closed')
  })

  test('begin a generation: what was out is late', () => {
    const trace = new Trace(quick)
    const before = trace.acquire()
    trace.circuit.reset(trace.now)
    expect(trace.settle(before, 'failure')).toBe('closed')
  })

  test('metrics-only tells of a threshold once', () => {
    const told: string[] = []
    const circuit = new Circuit(presets.resilience4j({ minimumNumberOfCalls: 1 }), {
      thresholdReached: (threshold) => told.push(threshold),
    })
    circuit.force('forced-closed', 0)
    expect(circuit.state(0)).toBe('metrics-only')
    for (let call = 0; call < 3; call++) {
      const permit = circuit.acquire(0)
      if (permit instanceof Permit) circuit.settle(permit, 'failure', 0)
    }
    expect(told).toEqual(['failure-rate'])
  })
})

describe('snapshot and restore', () => {
  test.each([
    ['time', circuitSettings({ volumeThreshold: 4 })],
    ['count', circuitSettings({ volumeThreshold: 4, window: { type: 'count', size: 8 } })],
    ['none', circuitSettings({ window: false, consecutive: 4 })],
  ])('the outcomes go on counting in another process: window %s', (_, settings) => {
    const first = new Trace(settings)
    first.now = 12_345
    first.calls(3, 'failure')
    const saved: unknown = JSON.parse(JSON.stringify(first.circuit.snapshot(first.now)))
    const second = new Trace(settings)
    second.now = 77
    second.circuit.restore(saved, second.now)
    expect(second.circuit.counts(second.now)).toEqual(first.circuit.counts(first.now))
    expect(second.call('failure')).toBe('open')
  })

  test('the wait goes on, less the age; a half-open circuit may probe at once', () => {
    const first = opened()
    first.now += 30
    const saved = first.circuit.snapshot(first.now)
    const second = new Trace(quick)
    second.now = 5000
    second.circuit.restore(saved, second.now, 20)
    expect(second.refused().retryAfter).toBe(50)
    second.circuit.restore(saved, second.now, -1e9)
    expect(second.refused().retryAfter).toBe(70)
    first.now += 70
    first.acquire()
    second.circuit.restore(first.circuit.snapshot(first.now), second.now)
    expect(second.call('success')).toBe('closed')
  })

  test.each([
    null,
    [],
    { version: 2 },
    { version: 1, state: 'half-open' },
    { version: 1, state: 'open', generation: -1, attempt: 0, waitLeft: 0, failuresInARow: 0, window: [] },
    { version: 1, state: 'closed', generation: 0, attempt: 0, waitLeft: 0, failuresInARow: 0, window: [1] },
    {
      version: 1,
      state: 'closed',
      generation: 0,
      attempt: 0,
      waitLeft: Number.NaN,
      failuresInARow: 0,
      window: [],
    },
  ])('refuses %j and stays as it was', (snapshot) => {
    const trace = opened()
    let thrown: unknown
    try {
      trace.circuit.restore(snapshot, trace.now)
    } catch (error) {
      thrown = error
    }
    expect(isResilienceError(thrown) && thrown.code).toBe('INVALID_SNAPSHOT')
    expect(trace.state).toBe('open')
  })
})

test('an observer that calls back sees the new state', () => {
  const seen: string[] = []
  const circuit: Circuit = new Circuit(quick, {
    transition: ({ to }) => {
      seen.push(`${to} ${circuit.state(0)}`)
      if (to === 'open') circuit.reset(0)
    },
  })
  const permit = circuit.acquire(0)
  if (permit instanceof Permit) circuit.settle(permit, 'failure', 0)
  expect(seen).toEqual(['open open', 'closed closed'])
})

test('trip opens from closed and half-open, and leaves what came before late', () => {
  const circuit = new Circuit(quick)
  const permit = circuit.acquire(0)
  circuit.trip(0)
  expect(circuit.acquire(40)).toEqual({ state: 'open', retryAfter: 60 })
  if (permit instanceof Permit) circuit.settle(permit, 'success', 50)
  circuit.trip(60)
  expect(circuit.acquire(99)).toEqual({ state: 'open', retryAfter: 1 })
  expect(circuit.acquire(100)).toBeInstanceOf(Permit)
  circuit.trip(110)
  expect(circuit.acquire(110)).toEqual({ state: 'open', retryAfter: 100 })
  circuit.force('disabled', 120)
  circuit.trip(120)
  expect(circuit.state(120)).toBe('disabled')
})

describe('with a fleet', () => {
  test('opens for the wait that it is given, in a new generation, and its own attempts go on from there', () => {
    const waits: number[] = []
    const trace = new Trace({
      ...quick,
      openFor: (attempt) => {
        waits.push(attempt)
        return 100
      },
    })
    const late = trace.acquire()
    trace.circuit.openWithFleet(30, 4, trace.now)
    expect(trace.refused()).toEqual({ state: 'open', retryAfter: 30 })
    expect(trace.settle(late, 'failure')).toBe('open')
    trace.now += 30
    expect(trace.call('failure')).toBe('open')
    expect(waits).toEqual([5])
  })

  test('where it is open already only the wait changes, and no transition is told', () => {
    const seen: Transition[] = []
    const circuit = new Circuit(quick, { transition: (each) => seen.push(each) })
    circuit.openWithFleet(30, 1, 0)
    circuit.openWithFleet(10, 1, 5)
    expect(circuit.acquire(14)).toEqual({ state: 'open', retryAfter: 1 })
    expect(seen).toEqual([{ from: 'closed', to: 'open', reason: 'fleet', generation: 1, at: 0 }])
  })

  test('closes an open and a half-open circuit, whose probe is late then', () => {
    const trace = opened()
    trace.now += 100
    const probe = trace.acquire()
    trace.circuit.closeWithFleet(trace.now)
    expect(trace.settle(probe, 'failure')).toBe('closed')
    expect(trace.circuit.counts(trace.now).total).toBe(0)
  })

  test.each(['forced-open', 'forced-closed', 'disabled'] as const)('%s stays', (state) => {
    const trace = new Trace(quick)
    trace.circuit.force(state, 0)
    const { generation } = trace.circuit
    trace.circuit.openWithFleet(10, 1, 0)
    trace.circuit.closeWithFleet(0)
    expect([trace.state, trace.circuit.generation]).toEqual([state, generation])
  })

  test('the gate is asked once the wait is over, and again for each further probe', () => {
    const trace = opened(circuitSettings({ volumeThreshold: 1, sleepWindow: 100, probes: 2 }))
    let gate = false
    let asked = 0
    trace.circuit.gateProbes(() => {
      asked++
      return gate
    })
    trace.refused()
    expect(asked).toBe(0)
    trace.now += 100
    expect(trace.refused()).toEqual({ state: 'open', retryAfter: 0 })
    gate = true
    trace.acquire()
    gate = false
    expect(trace.refused().state).toBe('half-open')
    trace.circuit.gateProbes(undefined)
    trace.acquire()
  })
})
