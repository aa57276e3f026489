import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../test/virtual-clock.ts'
import { createIdempotency, type Idempotency } from './idempotency.ts'
import type { ClaimAnswer, ClaimRequest } from './record/record.ts'
import { memoryStore } from './store/memory.ts'
import type { IdempotencyStore } from './store/store.ts'

const request = { scope: 'acct_1', key: 'k', input: { amount: 5 } } as const

/** A store that receives the first claim so late, and whose answer to it is lost where `lost`. */
function late(clock: VirtualClock, ms: number, lost: boolean): IdempotencyStore {
  const store = memoryStore({ clock })
  let claims = 0
  const claim = (asked: ClaimRequest): Promise<ClaimAnswer> | ClaimAnswer => {
    if (claims++ > 0) return store.claim(asked)
    const { promise, resolve, reject } = Promise.withResolvers<ClaimAnswer>()
    clock.setTimeout(() => {
      const answer = store.claim(asked)
      if (lost) reject(new Error('the connection is lost'))
      else resolve(answer)
    }, ms)
    return promise
  }
  return new Proxy(store, {
    get: (target, name) => {
      const found: unknown = name === 'claim' ? claim : Reflect.get(target, name)
      return typeof found === 'function' ? found.bind(target) : found
    },
  })
}

/** Asks once, which is refused at `refusedAt`, and at `again` a second time, which is executed. */
async function refusedThenExecuted(
  idempotency: Idempotency,
  clock: VirtualClock,
  again: (refusedAt: number) => number,
): Promise<number> {
  let executed = 0
  const outcomes: unknown[] = []
  const run = (): Promise<unknown> =>
    idempotency
      .run(request, async () => ++executed)
      .then(
        ({ value }) => value,
        (error: unknown) => Reflect.get(Object(error), 'code'),
      )
      .then((each) => outcomes.push(each))
  void run()
  await clock.run(() => outcomes.length === 1)
  const refusedAt = clock.now()
  expect([outcomes, executed]).toEqual([['store_unavailable'], 0])
  let now = false
  clock.setTimeout(() => {
    now = true
  }, again(refusedAt) - refusedAt)
  await clock.run(() => now)
  await run()
  expect(outcomes).toEqual(['store_unavailable', 1])
  return refusedAt
}

test('a claim whose answer comes when its lease has ended is not executed, and let go', async () => {
  const clock = new VirtualClock()
  // As for a process that was stopped, whose timers come too late to give it up.
  const idempotency = createIdempotency({
    store: late(clock, 2000, false),
    clock,
    lease: '1s',
    storeTimeout: '1m',
  })
  expect(await refusedThenExecuted(idempotency, clock, (refusedAt) => refusedAt + 200)).toBe(2000)
})

describe('a claim that arrives after it was given up', () => {
  test.each([
    [5001, false, 5100],
    [5050, false, 5051],
    [20_000, false, 20_001],
    [50_000, false, 50_001],
    [20_000, true, 31_000],
  ])('in %i ms, its answer lost: %s, is let go by %i ms, and was not executed', async (ms, lost, by) => {
    const clock = new VirtualClock()
    const idempotency = createIdempotency({ store: late(clock, ms, lost), clock })
    expect(await refusedThenExecuted(idempotency, clock, () => by)).toBe(5000)
  })
})
