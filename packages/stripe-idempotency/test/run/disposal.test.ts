import { createIdempotency } from '@loadbearing/stripe-idempotency'
import { describe, expect, test } from 'vitest'
import { minute, outcome, request, sleep, world } from './world.ts'

describe('disposal', () => {
  test('tells what is at work to end, and waits for it with its lease renewed', async () => {
    const { clock, idempotency, other } = world()
    let told: unknown
    let disposed = false
    const running = idempotency.run(request, async ({ signal }) => {
      await new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => {
          told = signal.reason
          resolve()
        }),
      )
      await sleep(clock, 3 * minute)
      return 'done all the same'
    })
    void idempotency[Symbol.asyncDispose]().then(() => (disposed = true))
    expect(told).toMatchObject({ code: 'disposed', retryable: true })
    let passed = false
    void sleep(clock, 2 * minute).then(() => (passed = true))
    await clock.run(() => passed)
    expect(disposed).toBe(false)
    expect(await outcome(other.run(request, async () => 0))).toBe('in_use')
    await clock.run(() => disposed)
    expect(clock.now()).toBe(3 * minute)
    expect(await outcome(running)).toBe('executed "done all the same"')
  })

  test('leaves the key to the next one where the work ends at once', async () => {
    const { clock, store, idempotency } = world()
    const running = idempotency.run(request, ({ signal }) => {
      const { promise, reject } = Promise.withResolvers<never>()
      signal.addEventListener('abort', () => reject(signal.reason))
      return promise
    })
    const ended = outcome(running)
    // The store would be gone as well.
    store[Symbol.asyncDispose] = async () => {}
    await idempotency[Symbol.asyncDispose]()
    expect(await ended).toBe('disposed')
    const next = createIdempotency({ store, clock })
    expect(await outcome(next.run(request, async () => 'next'))).toBe('executed "next"')
  })
})
