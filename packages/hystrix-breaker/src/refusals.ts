import type { Refusal } from './circuit.ts'
import { ResilienceError, withoutStack } from './errors.ts'

/** The errors of a breaker; without a stack, unless `stacks`. */
export class Refusals {
  readonly #name: string
  readonly #stacks: boolean

  constructor(name: string, stacks: boolean) {
    this.#name = name
    this.#stacks = stacks
  }

  circuitOpen({ state, retryAfter }: Refusal): ResilienceError {
    const when = retryAfter === undefined ? '' : `; the next probe may go in ${Math.ceil(retryAfter)} ms`
    return this.#make('CIRCUIT_OPEN', `the circuit is ${state}${when}`, retryAfter)
  }

  bulkheadFull(running: number, queued: number): ResilienceError {
    return this.#make(
      'BULKHEAD_FULL',
      `${running} calls are running and ${queued} wait: try later, or raise bulkhead.max or bulkhead.queue`,
    )
  }

  timeout(ms: number | undefined): ResilienceError {
    return this.#make('TIMEOUT', `no answer within ${ms} ms: raise timeout, or see why it is slow`)
  }

  disposed(): ResilienceError {
    return this.#make('DISPOSED', 'the breaker was disposed of')
  }

  fallbackRejected(running: number, cause: unknown): ResilienceError {
    return new ResilienceError(
      'FALLBACK_FAILED',
      `${this.#name} failed, and its fallback was refused: ${running} are running; raise fallbackMax`,
      { cause },
    )
  }

  fallbackFailed(error: unknown, thrown: unknown): ResilienceError {
    return new ResilienceError('FALLBACK_FAILED', `${this.#name} failed, and so did its fallback`, {
      cause: new AggregateError([error, thrown], 'the error of the call, then that of the fallback'),
    })
  }

  #make(code: ResilienceError['code'], what: string, retryAfter?: number): ResilienceError {
    const message = `${this.#name}: ${what}`
    return this.#stacks
      ? new ResilienceError(code, message, { retryAfter })
      : withoutStack(() => new ResilienceError(code, message, { retryAfter }))
  }
}
