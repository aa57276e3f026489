import {
  type Breaker,
  type BreakerOptions,
  breaker,
  type CallContext,
  circuitBreaker,
  type Pipeline,
  pipeline,
} from '@loadbearing/hystrix-breaker'
import { Airline } from './airline.ts'
import { BankLine } from './bank-line.ts'
import { StatusError } from './json-call.ts'
import type { CallTallies, CallTally, Start } from './messages.ts'

/** Flights of one call to the airline. */
const FLIGHTS_A_CALL = 5
/** From the opening of the bank's circuit to a probe. Nothing can take the bank's place, so it is tried again soon. */
const BANK_SLEEP_MS = 100

const guard: BreakerOptions = {
  window: { type: 'time', size: '1s', buckets: 10 },
  volumeThreshold: 3,
  errorThreshold: 0.5,
}

/** The airline and the bank as a worker calls them: through a circuit each. */
export class GuardedServices {
  readonly #delays: (claims: readonly number[], stated: readonly number[]) => Promise<readonly number[]>
  readonly bank: BankLine
  readonly #bankCalls: Pipeline
  #shunnedUntil = 0
  readonly #tallies: { readonly records: () => CallTally; readonly bank: () => CallTally }

  /** @param timeLimit of a call. Default: a quarter of a second */
  constructor(
    { records, bank, breaker: guarded }: Pick<Start, 'records' | 'bank' | 'breaker'>,
    timeLimit = '250ms',
  ) {
    const airline = new Airline(records)
    const delays = breaker(
      (claims: readonly number[], _stated: readonly number[], { signal }: CallContext) =>
        airline.delays(claims, signal),
      // What the passenger has stated decides where the airline does not answer; it is audited in the end.
      {
        ...guard,
        timeout: timeLimit,
        name: 'records',
        sleepWindow: '1s',
        bulkhead: { max: 8, queue: 250 },
        fallback: (_error, _claims, stated) => stated,
      },
    )
    const circuit = circuitBreaker({
      ...guard,
      timeout: timeLimit,
      name: 'bank',
      sleepWindow: BANK_SLEEP_MS,
      isFailure: isIllness,
    })
    if (!guarded) for (const each of [delays, circuit]) each.breaker.force('disabled')
    this.#delays = delays
    this.bank = new BankLine(bank)
    circuit.breaker.on('stateChange', ({ to }) => {
      if (to === 'open') this.#shunnedUntil = performance.now() + BANK_SLEEP_MS
    })
    this.#bankCalls = pipeline({ name: 'bank' }, circuit)
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

  /** Whether the bank's circuit has opened so lately that it would refuse every call. */
  get bankIsShunned(): boolean {
    return performance.now() < this.#shunnedUntil
  }

  /** Calls the bank, once, or refuses to. */
  askBank<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    return this.#bankCalls.run(({ signal }) => work(signal))
  }

  /** Of all calls so far. */
  get tallies(): CallTallies {
    return { records: this.#tallies.records(), bank: this.#tallies.bank() }
  }
}

/** A service that says no is well. */
function isIllness(error: unknown): boolean {
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
