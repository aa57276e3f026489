import { type Channel, channel } from 'node:diagnostics_channel'
import { type IdempotencyErrorCode, isIdempotencyError } from './errors.ts'
import type { Performed, Settled } from './settlement.ts'

/** What became of a request, for those who count. */
export type Outcome =
  /** It was carried out, and its answer kept. */
  | 'executed'
  /** It was carried out, and said that it is not the answer: the key is as new, or goes on where it stopped. */
  | 'released'
  | 'replayed'
  /** The key was held by a request still at work, or another holder took it over. */
  | 'conflict'
  | 'mismatch'
  | 'uncertain'
  /** It was thrown on: the store, or the work itself. */
  | 'failed'

/** Published on `loadbearing:stripe-idempotency:outcome`. It tells no key, scope or body. */
export interface OutcomeEvent {
  readonly outcome: Outcome
  /** The name of the key in the store: its HMAC where there is a secret, else its SHA-256. */
  readonly keyHash: string
  /** Null where there was no record, or it is that of another request. */
  readonly recordId: string | null
  /** Milliseconds from the request to its outcome, the wait for others included. */
  readonly duration: number
  /** Of a failure; null where it was not an error of this package. */
  readonly code: IdempotencyErrorCode | null
}

/** Published on `loadbearing:stripe-idempotency:lease-lost`: a holder found that another one has its record, or may have. */
export interface LeaseLostEvent {
  readonly keyHash: string
  readonly recordId: string
  readonly fence: number
}

/** Published on `loadbearing:stripe-idempotency:failed-open`: a request was carried out without its key, as `failOpen` says. */
export interface FailedOpenEvent {
  readonly method: string
  readonly path: string
}

/** The events, by their names. */
export interface IdempotencyEvents {
  readonly outcome: OutcomeEvent
  readonly 'lease-lost': LeaseLostEvent
  readonly 'failed-open': FailedOpenEvent
}

type Listeners = { readonly [Name in keyof IdempotencyEvents]: Set<(event: IdempotencyEvents[Name]) => void> }

/** The diagnostics channel of each event. */
export const channels: { readonly [Name in keyof IdempotencyEvents]: Channel } = {
  outcome: channel('loadbearing:stripe-idempotency:outcome'),
  'lease-lost': channel('loadbearing:stripe-idempotency:lease-lost'),
  'failed-open': channel('loadbearing:stripe-idempotency:failed-open'),
}

const outcomes: Readonly<Record<Settled['outcome'], Outcome>> = {
  executed: 'executed',
  replayed: 'replayed',
  'in-use': 'conflict',
  mismatch: 'mismatch',
  uncertain: 'uncertain',
}

/** Tells listeners and the diagnostics channels what happens, and costs nothing where there are none. */
export class Events {
  readonly #listeners: Listeners = {
    outcome: new Set(),
    'lease-lost': new Set(),
    'failed-open': new Set(),
  }

  /** @returns ends it */
  on<Name extends keyof IdempotencyEvents>(
    name: Name,
    listener: (event: IdempotencyEvents[Name]) => void,
  ): () => void {
    const listeners: Set<(event: IdempotencyEvents[Name]) => void> = this.#listeners[name]
    // Each call is a listener of its own, so that its end does not end another one.
    const own = (event: IdempotencyEvents[Name]): void => listener(event)
    listeners.add(own)
    return () => {
      listeners.delete(own)
    }
  }

  hears(name: keyof IdempotencyEvents): boolean {
    return this.#listeners[name].size > 0 || channels[name].hasSubscribers
  }

  /** What throws in a listener becomes a warning of the process. */
  emit<Name extends keyof IdempotencyEvents>(name: Name, event: IdempotencyEvents[Name]): void {
    channels[name].publish(event)
    for (const listener of this.#listeners[name]) {
      try {
        listener(event)
      } catch (error) {
        process.emitWarning(
          `a listener of ${name} threw: ${error instanceof Error ? error.message : typeof error}`,
          {
            code: 'LOADBEARING_IDEMPOTENCY_LISTENER',
          },
        )
      }
    }
  }

  /** Settles, and tells what came of it. */
  async observe<Given extends unknown[]>(
    keyHash: string,
    now: () => number,
    perform: (...given: Given) => Promise<Performed>,
    settle: (perform: (...given: Given) => Promise<Performed>) => Promise<Settled> | Settled,
  ): Promise<Settled> {
    const began = now()
    let fate: Performed['fate'] | undefined
    try {
      const settled = await settle(async (...given) => {
        const performed = await perform(...given)
        fate = performed.fate
        return performed
      })
      const released = settled.outcome === 'executed' && (fate === 'release' || fate === 'leave')
      this.emit('outcome', {
        outcome: released ? 'released' : outcomes[settled.outcome],
        keyHash,
        recordId: settled.outcome === 'mismatch' ? null : settled.recordId,
        duration: now() - began,
        code: null,
      })
      return settled
    } catch (error) {
      this.emit('outcome', {
        outcome: 'failed',
        keyHash,
        recordId: null,
        duration: now() - began,
        code: isIdempotencyError(error) ? error.code : null,
      })
      throw error
    }
  }
}
