import { Breaker } from '../breaker.ts'
import type { TransitionReason } from '../circuit-observer.ts'
import type { CallEvent } from '../metrics/call-event.ts'
import type { Clock, Random } from '../ports.ts'
import type { State } from '../settings.ts'
import type { Scenario, ScenarioBreaker, ScenarioStep, StepAction } from './scenario.ts'
import { seededRandom } from './seeded-random.ts'

/** Told of what happens, with the milliseconds since the run began. */
export interface ScenarioObserver {
  step?(name: string, step: ScenarioStep, at: number): void
  transition?(name: string, change: { from: State; to: State; reason: TransitionReason; at: number }): void
  /** The first event of a call, when it is over. */
  call?(name: string, event: CallEvent, at: number): void
}

/** Runs a scenario on a clock: each breaker is called as its steps say, and its upstream behaves as they say. */
export class ScenarioRun implements AsyncDisposable {
  readonly breakers: readonly Breaker[]
  readonly #clock: Clock
  readonly #observer: ScenarioObserver
  readonly #callers: readonly Caller[]
  readonly #started: number

  constructor(scenario: Scenario, clock: Clock, observer: ScenarioObserver = {}) {
    this.#clock = clock
    this.#observer = observer
    this.#started = clock.monotonic()
    this.breakers = scenario.breakers.map(({ name, options }) => new Breaker({ ...options, name, clock }))
    this.#callers = scenario.breakers.map((each, index) => {
      const breaker = this.breakers[index]
      if (breaker === undefined) throw new TypeError('Each breaker of the scenario was made')
      this.#observe(breaker)
      return new Caller(each, breaker, clock, seededRandom(scenario.seed, each.name), (step) =>
        observer.step?.(each.name, step, this.#at()),
      )
    })
  }

  /** Schedules all steps from now on. */
  begin(): void {
    for (const caller of this.#callers) caller.begin()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const caller of this.#callers) caller.end()
    await Promise.all(this.breakers.map((each) => each[Symbol.asyncDispose]()))
  }

  #observe(breaker: Breaker): void {
    const { name } = breaker
    breaker.on('stateChange', ({ from, to, reason, at }) =>
      this.#observer.transition?.(name, { from, to, reason, at: at - this.#started }),
    )
    breaker.on('execution', ({ events: [event] }) => {
      if (event !== undefined) this.#observer.call?.(name, event, this.#at())
    })
  }

  #at(): number {
    return this.#clock.monotonic() - this.#started
  }
}

const actions: Readonly<Record<StepAction, (breaker: Breaker) => void>> = {
  'force-open': (breaker) => breaker.force('forced-open'),
  'force-closed': (breaker) => breaker.force('forced-closed'),
  disable: (breaker) => breaker.force('disabled'),
  'metrics-only': (breaker) => breaker.force('metrics-only'),
  reset: (breaker) => breaker.reset(),
}

/** Calls one breaker, and answers in place of its upstream. */
class Caller {
  readonly #scenario: ScenarioBreaker
  readonly #breaker: Breaker
  readonly #clock: Clock
  readonly #random: Random
  readonly #told: (step: ScenarioStep) => void
  readonly #timers = new Set<unknown>()
  #takes: readonly [number, number] = [0, 0]
  #fails = 0
  #hangs = 0
  #rate = 0
  // The calls of this rate: when the first one was, and how many there were.
  #since = 0
  #made = 0
  #next: unknown

  constructor(
    scenario: ScenarioBreaker,
    breaker: Breaker,
    clock: Clock,
    random: Random,
    told: (step: ScenarioStep) => void,
  ) {
    this.#scenario = scenario
    this.#breaker = breaker
    this.#clock = clock
    this.#random = random
    this.#told = told
  }

  begin(): void {
    for (const step of this.#scenario.steps) this.#after(step.at, () => this.#take(step))
  }

  end(): void {
    for (const timer of this.#timers) this.#clock.clearTimeout(timer)
    this.#clock.clearTimeout(this.#next)
  }

  #take(step: ScenarioStep): void {
    const { rate, takes = this.#takes, fails = this.#fails, hangs = this.#hangs, do: action } = step
    this.#told(step)
    this.#takes = takes
    this.#fails = fails
    this.#hangs = hangs
    if (action !== undefined) actions[action](this.#breaker)
    if (rate === undefined) return
    this.#rate = rate
    this.#since = this.#clock.monotonic()
    this.#made = 0
    this.#clock.clearTimeout(this.#next)
    if (rate > 0) this.#callOn()
  }

  // By the number of the call, so that neither late timers nor rounding add up.
  #callOn(): void {
    const due = (): number => this.#since + (this.#made * 1000) / this.#rate
    while (due() <= this.#clock.monotonic()) {
      this.#made++
      this.#call()
    }
    this.#next = this.#clock.setTimeout(() => this.#callOn(), due() - this.#clock.monotonic())
  }

  #call(): void {
    // All are drawn each time, so that a step changes nothing but what it names.
    const [time, fate, hanging] = [this.#random.next(), this.#random.next(), this.#random.next()]
    const [from, to] = this.#takes
    const fails = fate < this.#fails
    const hangs = hanging < this.#hangs
    const work = (): Promise<void> =>
      new Promise((resolve, reject) => {
        if (hangs) return
        this.#after(from + time * (to - from), () => {
          if (fails) reject(new Error('the upstream failed'))
          else resolve()
        })
      })
    const fallback = this.#scenario.fallback ? { fallback: () => {} } : {}
    this.#breaker.execute(work, fallback).catch(() => {
      // It is told by its events.
    })
  }

  #after(delay: number, callback: () => void): void {
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer)
      callback()
    }, delay)
    this.#timers.add(timer)
  }
}
