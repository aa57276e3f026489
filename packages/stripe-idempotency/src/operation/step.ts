import type { Clock } from '../ports.ts'
import type { Sealer } from '../seal.ts'
import type { IdempotencyStore, TransactionalStore } from '../store/store.ts'
import type { Intent } from './journal.ts'
import type { Outbox } from './outbox.ts'
import type { PhaseContext } from './phase.ts'

/** What phases are carried out with. */
export interface Setting {
  readonly store: IdempotencyStore | TransactionalStore<unknown>
  readonly outbox: Outbox<unknown> | undefined
  readonly sealer: Sealer
  readonly clock: Clock
  /** Milliseconds. */
  readonly lease: number
}

/** One phase, about to be carried out. */
export interface Step {
  readonly context: PhaseContext<unknown, unknown, unknown>
  /** Of an earlier attempt. */
  readonly intent: Intent | undefined
  /** Its output is the answer to the key. */
  readonly last: boolean
}

/** What a phase that was committed left. */
export interface Done {
  readonly output: unknown
  /** It is the answer to the key already. */
  readonly kept: boolean
}

/** A phase cannot go on, and nobody knows what an earlier attempt at it did. */
export class InDoubt extends Error {}

/** Lets some time pass. */
export function pause(clock: Clock, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  clock.setTimeout(resolve, ms)
  return promise
}
