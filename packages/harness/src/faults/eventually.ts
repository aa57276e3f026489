import { setTimeout as sleep } from 'node:timers/promises'
import { HarnessError } from '../errors.ts'
import { type Duration, toMs } from './duration.ts'

export interface EventuallyOptions {
  /** How long to go on asking. Default `'20s'`. */
  within?: Duration
  /** Pause between two questions. Default `'10ms'`. */
  every?: Duration
  /** What is waited for, as the error shall say it. Default: the source of `condition`. */
  what?: string
  /** Ends the wait: the promise rejects with the reason of the signal. */
  signal?: AbortSignal
}

type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>

/**
 * Asks `condition` until it answers something truthy, and resolves with that answer: a test's way to wait for the
 * outside world without a sleep. A condition that throws counts as not yet true.
 *
 * @throws HarnessError `TIMED_OUT` after `within`; its `cause` is what the condition threw last, if anything.
 */
export async function eventually<T>(
  condition: () => T | Promise<T>,
  { within = '20s', every = '10ms', what = String(condition), signal }: EventuallyOptions = {},
): Promise<Truthy<T>> {
  const limit = toMs('within', within)
  const pause = toMs('every', every)
  const deadline = performance.now() + limit
  let thrown: unknown
  for (;;) {
    signal?.throwIfAborted()
    try {
      const answer = await condition()
      if (answer) return answer as Truthy<T>
      thrown = undefined
    } catch (error) {
      thrown = error
    }
    if (performance.now() >= deadline) {
      throw new HarnessError('TIMED_OUT', `not true within ${limit} ms: ${what}`, { cause: thrown })
    }
    await sleep(pause, undefined, { signal })
  }
}
