import {
  Circuit,
  type CircuitSettings,
  type Outcome,
  Permit,
  type Refusal,
} from '@loadbearing/hystrix-breaker'

/** A circuit and its time, for tests that read like a trace. */
export class Trace {
  readonly circuit: Circuit
  now = 0

  constructor(settings: CircuitSettings) {
    this.circuit = new Circuit(settings)
  }

  get state(): string {
    return this.circuit.state(this.now)
  }

  acquire(): Permit {
    const answer = this.circuit.acquire(this.now)
    if (answer instanceof Permit) return answer
    throw new Error(`refused while ${answer.state}`)
  }

  refused(): Refusal {
    const answer = this.circuit.acquire(this.now)
    if (answer instanceof Permit) throw new Error('admitted')
    return answer
  }

  call(outcome: Outcome, took = 0): string {
    const permit = this.acquire()
    this.now += took
    return this.settle(permit, outcome)
  }

  settle(permit: Permit, outcome: Outcome): string {
    this.circuit.settle(permit, outcome, this.now)
    return this.state
  }

  calls(times: number, outcome: Outcome): string {
    for (let time = 0; time < times; time++) this.call(outcome)
    return this.state
  }
}
