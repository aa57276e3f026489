import { setImmediate } from 'node:timers/promises'
import { type SimulatedClock, type Simulation, simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { configureBackend } from '../backend.ts'
import type { Clock } from '../ports.ts'
import { ActiveChecks, type CheckSettings, type ProbeOutcome, type Prober } from './probe.ts'

const backend = configureBackend('10.0.0.1:80')

function checks(
  { clock, random }: { readonly clock: Clock; readonly random: Pick<Simulation['random'], 'next'> },
  prober: Prober,
  timing: Partial<CheckSettings<unknown>> = {},
): { active: ActiveChecks<unknown>; outcomes: (ProbeOutcome & { at: number })[] } {
  const outcomes: (ProbeOutcome & { at: number })[] = []
  const settings = {
    interval: 1000,
    jitter: 0,
    timeout: 300,
    thresholds: { healthy: 2, unhealthy: 3 },
    ...timing,
    prober,
  }
  const active = new ActiveChecks(settings, { clock, random }, (outcome) =>
    outcomes.push({ ...outcome, at: clock.monotonic() }),
  )
  return { active, outcomes }
}

/** Answers after `ms`, and sooner when aborted. */
function slow(clock: SimulatedClock, ms: number): Prober {
  return async (_, signal) => {
    await clock.sleep(ms, { signal })
    return 'healthy'
  }
}

test('probes at once and then every interval, from start to start', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    const { active, outcomes } = checks({ clock, random }, slow(clock, 100))
    active.watch(backend)
    await clock.sleep(3500)
    expect(outcomes.map(({ at }) => at)).toEqual([100, 1100, 2100, 3100])
    expect(outcomes.every(({ result, ms }) => result === 'healthy' && ms === 100)).toBe(true)
    await active[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  }))

test('jitter only ever adds, up to its bound, and differs', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    const { active, outcomes } = checks({ clock, random }, slow(clock, 10), { jitter: 500 })
    active.watch(backend)
    await clock.sleep(60_000)
    const gaps = outcomes.slice(1).map(({ at }, i) => at - (outcomes[i]?.at ?? 0))
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1000)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1501)
    expect(new Set(gaps).size).toBeGreaterThan(10)
    await active[Symbol.asyncDispose]()
  }))

test('a probe that takes longer than the timeout has failed then, and is aborted', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    let aborted = 0
    const { active, outcomes } = checks({ clock, random }, async (_, signal) => {
      signal.addEventListener('abort', () => aborted++)
      await clock.sleep(5000, { signal })
      return 'healthy'
    })
    active.watch(backend)
    await clock.sleep(2500)
    expect(outcomes.map(({ at, result }) => [at, result])).toEqual([
      [300, 'unhealthy'],
      [1300, 'unhealthy'],
      [2300, 'unhealthy'],
    ])
    expect(aborted).toBe(3)
    expect(outcomes[0]?.error).toMatchObject({ code: 'PROBE_FAILED', message: 'No answer within 300 ms' })
    await active[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  }))

test('never two at a time: a prober that ignores its signal fails every turn until it ends', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    let running = 0
    let most = 0
    const { active, outcomes } = checks({ clock, random }, async () => {
      most = Math.max(most, ++running)
      await clock.sleep(2600)
      running--
      return 'healthy'
    })
    active.watch(backend)
    await clock.sleep(3500)
    expect(most).toBe(1)
    expect(outcomes.map(({ result }) => result)).toEqual(['unhealthy', 'unhealthy', 'unhealthy', 'unhealthy'])
    await active[Symbol.asyncDispose]()
    // It is given as long as a probe may take, and no longer.
    expect(clock.monotonic()).toBeLessThanOrEqual(3800)
  }))

test.each<[string, Prober, string]>([
  ['rejects', () => Promise.reject(new Error('refused')), 'refused'],
  [
    'throws',
    () => {
      throw new Error('bug')
    },
    'bug',
  ],
  // @ts-expect-error: not an answer
  ['answers nonsense', () => Promise.resolve('fine'), 'A prober answers healthy or degraded, not fine'],
  // @ts-expect-error: not even a promise
  ['answers at once', () => undefined, 'A prober answers healthy or degraded, not undefined'],
])('a prober that %s is a failure', async (_, prober, message) => {
  await simulate({ runs: 3 }, async ({ clock, random }) => {
    const { active, outcomes } = checks({ clock, random }, prober)
    active.watch(backend)
    await clock.sleep(10)
    expect(outcomes).toMatchObject([{ result: 'unhealthy', error: { message } }])
    await active[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  })
})

test('disposal in the middle of a probe aborts it, reports nothing and leaves no timer', () =>
  simulate({ runs: 50 }, async ({ clock, random }) => {
    let settled = 0
    const { active, outcomes } = checks({ clock, random }, async (_, signal) => {
      try {
        await clock.sleep(200, { signal })
      } finally {
        settled++
      }
      return 'healthy'
    })
    active.watch(backend)
    active.watch(configureBackend('10.0.0.2:80'))
    await clock.sleep(100)
    await active[Symbol.asyncDispose]()
    expect(settled).toBe(2)
    expect(clock.pending).toBe(0)
    expect(outcomes).toEqual([])
  }))

test('a step of the wall clock changes nothing', () =>
  simulate({ runs: 5 }, async ({ clock, random }) => {
    const { active, outcomes } = checks({ clock, random }, slow(clock, 100))
    active.watch(backend)
    await clock.sleep(1500)
    clock.jump(3_600_000)
    await clock.sleep(1000)
    clock.jump(-7_200_000)
    await clock.sleep(1000)
    expect(outcomes.map(({ at }) => at)).toEqual([100, 1100, 2100, 3100])
    await active[Symbol.asyncDispose]()
  }))

/** A clock whose timers come when they are let: a process that stands still. */
class HeldClock implements Clock {
  time = 0
  #timers: { readonly at: number; readonly callback: () => void }[] = []

  now(): number {
    return this.time
  }

  monotonic(): number {
    return this.time
  }

  setTimeout(callback: () => void, delay: number): unknown {
    const timer = { at: this.time + delay, callback }
    this.#timers.push(timer)
    return timer
  }

  clearTimeout(handle: unknown): void {
    this.#timers = this.#timers.filter((timer) => timer !== handle)
  }

  /** Goes on at `time` with what is due. */
  wakeAt(time: number): void {
    this.time = time
    const due = this.#timers.filter(({ at }) => at <= time)
    this.#timers = this.#timers.filter(({ at }) => at > time)
    for (const { callback } of due) callback()
  }
}

test('a process that stood still lets its probes have as long again, once', async () => {
  const clock = new HeldClock()
  const answers: PromiseWithResolvers<'healthy'>[] = []
  const { active, outcomes } = checks({ clock, random: { next: () => 0 } }, (_, signal) => {
    const answer = Promise.withResolvers<'healthy'>()
    signal.addEventListener('abort', () => answer.reject(signal.reason))
    answers.push(answer)
    return answer.promise
  })
  const results = (): string[] => outcomes.map(({ result }) => result)
  active.watch(backend)
  clock.wakeAt(5000)
  expect(results()).toEqual([])
  answers[0]?.resolve('healthy')
  await setImmediate()
  expect(results()).toEqual(['healthy'])

  // Late again, and this time there is no answer.
  clock.wakeAt(5001)
  clock.wakeAt(9000)
  clock.wakeAt(9299)
  expect(results()).toEqual(['healthy'])
  clock.wakeAt(9300)
  expect(results()).toEqual(['healthy', 'unhealthy'])
  await setImmediate()

  // In time, and there is none either.
  clock.wakeAt(9301)
  clock.wakeAt(9601)
  expect(results()).toEqual(['healthy', 'unhealthy', 'unhealthy'])
  await active[Symbol.asyncDispose]()
})
