import {
  type Breaker,
  type BreakerOptions,
  breaker,
  type CallContext,
  circuitBreaker,
  type Pipeline,
  pipeline,
  retry,
  timeout,
} from '@loadbearing/hystrix-breaker'
import { Airline } from './airline.ts'
import { StatusError } from './json-call.ts'
import type { Payment } from './ledger.ts'
import type { CallTallies, CallTally, Start } from './messages.ts'
import { Bank } from './payment.ts'

/** Flights of one call to the airline. */
const FLIGHTS_A_CALL = 5
/** How long a payment is asked for; shorter than the desk waits for the batch. */
const patience = '12s'

const guard: BreakerOptions = {
  timeout: '250ms',
  window: { type: 'time', size: '1s', buckets: 10 },
  volumeThreshold: 3,
  errorThreshold: 0.5,
}

/** The airline and the bank as a worker calls them: through a circuit each. */
export class GuardedServices {
  readonly #delays: (claims: readonly number[], stated: readonly number[]) => Promise<readonly number[]>
  readonly #payments: Pipeline
  readonly #bank: Bank
  readonly #worker: string
  readonly #tallies: { readonly records: () => CallTally; readonly bank: () => CallTally }

  constructor({ worker, records, bank, breaker: guarded }: Start) {
    const airline = new Airline(records)
    const delays = breaker(
      (claims: readonly number[], _stated: readonly number[], { signal }: CallContext) =>
        airline.delays(claims, signal),
      // What the passenger has stated decides where the airline does not answer; it is audited in the end.
      {
        ...guard,
        name: 'records',
        sleepWindow: '1s',
        bulkhead: { max: 8, queue: 250 },
        fallback: (_error, _claims, stated) => stated,
      },
    )
    // Nothing can take the bank's place, so it is tried again soon. A bank that says no is well.
    const circuit = circuitBreaker({ ...guard, name: 'bank', sleepWindow: '100ms', isFailure: mayPass })
    const untilPaid = retry({ attempts: 1000, backoff: '20ms', retryIf: mayPass })
    this.#payments = pipeline({ name: 'payment', budget: false }, timeout(patience), untilPaid, circuit)
    if (!guarded) for (const each of [delays, circuit]) each.breaker.force('disabled')
    this.#delays = delays
    this.#bank = new Bank(bank)
    this.#worker = worker
    this.#tallies = { records: tallyOf(delays.breaker), bank: tallyOf(circuit.breaker) }
  }

  /** How late flights were, in minutes: by the airline, or as stated where that does not answer. */
  async delays(claims: readonly number[], stated: readonly number[]): Promise<readonly number[]> {
    const parts: Promise<readonly number[]>[] = []
    for (let at = 0; at < claims.length; at += FLIGHTS_A_CALL) {
      const end = at + FLIGHTS_A_CALL
      parts.push(this.#delays(claims.slice(at, end), stated.slice(at, end)))
    }
    return (await Promise.all(parts)).flat()
  }

  /** Asks for the payments until the bank has confirmed them. */
  async pay(payments: readonly Payment[]): Promise<void> {
    await this.#payments.run(({ signal }) => this.#bank.pay(this.#worker, payments, signal))
  }

  /** Of all calls so far. */
  get tallies(): CallTallies {
    return { records: this.#tallies.records(), bank: this.#tallies.bank() }
  }
}

/** A payment is not asked for again where the bank has refused it or cannot be understood. */
function mayPass(error: unknown): boolean {
  return !(error instanceof TypeError || (error instanceof StatusError && error.status < 500))
}

function tallyOf(own: Breaker): () => CallTally {
  let opened = 0
  own.on('stateChange', ({ to }) => {
    if (to === 'open') opened++
  })
  return () => {
    const events = own.metrics.total()
    const failed = events.FAILURE + events.TIMEOUT
    return {
      made: events.SUCCESS + failed + events.BAD_REQUEST,
      failed,
      opened,
      shortCircuited: events.SHORT_CIRCUITED,
      fallbacks: events.FALLBACK_SUCCESS,
    }
  }
}
