import {
  createIdempotency,
  type Idempotency,
  type IdempotencyOptions,
  type IdempotencyStore,
  isIdempotencyError,
  memoryStore,
  type RunRequest,
} from '@loadbearing/stripe-idempotency'
import { VirtualClock } from '../virtual-clock.ts'

export const minute = 60_000

export interface World {
  readonly clock: VirtualClock
  readonly store: IdempotencyStore
  readonly idempotency: Idempotency
  /** Two processes on one store. */
  readonly other: Idempotency
}

export function world(options: Partial<IdempotencyOptions> = {}): World {
  const clock = new VirtualClock()
  const store = options.store ?? memoryStore({ clock })
  const make = (): Idempotency => createIdempotency({ store, clock, ...options })
  return { clock, store, idempotency: make(), other: make() }
}

export const request: RunRequest = { scope: 'acct_1', key: 'k', input: { amount: 5 } }

/** What a call came to: its value, or the code of its error. */
export async function outcome(call: Promise<{ value: unknown; replayed: boolean }>): Promise<string> {
  try {
    const { value, replayed } = await call
    return `${replayed ? 'replayed' : 'executed'} ${JSON.stringify(value)}`
  } catch (error) {
    if (isIdempotencyError(error)) return error.code
    return `threw ${String(error)}`
  }
}

export function counted(result: unknown = 'done'): { work: () => Promise<unknown>; count: () => number } {
  let count = 0
  return {
    work: async () => {
      count++
      return result
    },
    count: () => count,
  }
}

export function sleep(clock: VirtualClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimeout(resolve, ms))
}
