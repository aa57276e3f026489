import { setTimeout as sleep } from 'node:timers/promises'
import { createIdempotency, type IdempotencyStore } from '@loadbearing/stripe-idempotency'
import { charged, payment } from './payment.ts'

/** Where duplicates wait: the store of who is at work, that of those who wait, and how much the second has asked so far. */
export interface WaitingPlace {
  readonly holder: IdempotencyStore
  readonly waiters: IdempotencyStore
  /** Bytes that went to the server, or calls where there is none. */
  readonly asked: () => number
}

export interface Waited {
  /** Milliseconds from the end of the work to the answer of the last duplicate: the median of the rounds. */
  readonly delay: number
  /** What was asked in the second half of the work, in all rounds together. */
  readonly asked: number
}

const duplicates = 50
const rounds = 7
const halfOfWork = 500

/** A handler that takes a second, and 50 duplicates that wait for it with `wait: '5s'`. */
export async function waitingIn({ holder, waiters, asked }: WaitingPlace): Promise<Waited> {
  const working = createIdempotency({ store: holder })
  const waiting = createIdempotency({ store: waiters })
  const delays: number[] = []
  let askedMeanwhile = 0
  for (let round = 0; round < rounds; round++) {
    const request = { scope: 'acct_1', key: `${process.pid}-${round}`, input: payment, wait: '5s' } as const
    const begun = Promise.withResolvers<void>()
    let done = Number.NaN
    const first = working.run(request, async () => {
      begun.resolve()
      // By then all of them have asked.
      await sleep(halfOfWork)
      const before = asked()
      await sleep(halfOfWork)
      askedMeanwhile += asked() - before
      done = performance.now()
      return charged
    })
    await begun.promise
    const ends = await Promise.all(
      Array.from({ length: duplicates }, async () => {
        const { replayed } = await waiting.run(request, async () => charged)
        if (!replayed) throw new Error('a duplicate was carried out')
        return performance.now()
      }),
    )
    await first
    delays.push(Math.max(...ends) - done)
  }
  return {
    delay: delays.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN,
    asked: askedMeanwhile,
  }
}

/** The same store, whose calls are counted. */
export function counted(store: IdempotencyStore): Pick<WaitingPlace, 'waiters' | 'asked'> {
  let calls = 0
  const waiters = new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...given: unknown[]): unknown => {
        calls++
        return Reflect.apply(member, target, given)
      }
    },
  })
  return { waiters, asked: () => calls }
}
