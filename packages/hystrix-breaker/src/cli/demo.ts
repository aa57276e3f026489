import { realClock } from '../ports.ts'
import { Registry } from '../registry.ts'
import type { Scenario } from './scenario.ts'
import { ScenarioRun } from './scenario-run.ts'

/** A scenario in real time, again and again until disposed. Its breakers are in the registry. */
export class Demo implements AsyncDisposable {
  readonly registry: Registry
  readonly #scenario: Scenario
  readonly #run: ScenarioRun
  #timer: unknown

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.registry = new Registry()
    this.#run = new ScenarioRun(scenario, realClock)
    for (const breaker of this.#run.breakers) this.registry.add(breaker)
  }

  begin(): void {
    this.#run.begin()
    this.#timer = realClock.setTimeout(() => this.begin(), this.#scenario.duration)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    realClock.clearTimeout(this.#timer)
    await this.#run[Symbol.asyncDispose]()
  }
}
