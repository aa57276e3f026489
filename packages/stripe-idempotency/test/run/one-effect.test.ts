import { type RunRequest } from '@loadbearing/stripe-idempotency'
import { describe, expect, test } from 'vitest'
import { counted, minute, outcome, request, sleep, world } from './world.ts'

describe('one effect for each key', () => {
  test('the first call executes, the next is replayed', async () => {
    const { idempotency } = world()
    const { work, count } = counted({ id: 1, none: null })
    expect(await outcome(idempotency.run(request, work))).toBe('executed {"id":1,"none":null}')
    expect(await outcome(idempotency.run(request, work))).toBe('replayed {"id":1,"none":null}')
    expect(count()).toBe(1)
  })

  test('of 100 at the same time one executes', async () => {
    const { idempotency, clock } = world()
    let executions = 0
    const outcomes: string[] = []
    const all = Array.from({ length: 100 }, async () => {
      outcomes.push(
        await outcome(
          idempotency.run(request, async () => {
            executions++
            await sleep(clock, 100)
          }),
        ),
      )
    })
    await clock.run(() => outcomes.length === 100)
    await Promise.all(all)
    expect(executions).toBe(1)
    expect(outcomes.filter((each) => each === 'in_use')).toHaveLength(99)
  })

  test('another scope, key or operation is another matter, another input a mismatch', async () => {
    const { idempotency } = world()
    const { work, count } = counted()
    await idempotency.run(request, work)
    const others: Partial<RunRequest>[] = [{ scope: 'acct_2' }, { key: 'l' }, { scope: 'acct_', key: '1k' }]
    for (const other of others) {
      expect(await outcome(idempotency.run({ ...request, ...other }, work))).toBe('executed "done"')
    }
    expect(count()).toBe(4)
    expect(await outcome(idempotency.run({ ...request, input: { amount: 6 } }, work))).toBe('mismatch')
    expect(await outcome(idempotency.run({ ...request, operation: 'refund' }, work))).toBe('mismatch')
    expect(await outcome(idempotency.run({ ...request, input: { amount: 5 } }, work))).toBe('replayed "done"')
  })

  test('an error says that nothing was done', async () => {
    const { idempotency } = world()
    const { work } = counted()
    const failing = (): Promise<never> => Promise.reject(new RangeError('no'))
    expect(await outcome(idempotency.run(request, failing))).toBe('threw RangeError: no')
    expect(await outcome(idempotency.run(request, work))).toBe('executed "done"')
  })

  test('a key is as new once its answer has expired, and not before', async () => {
    const { idempotency, clock } = world({ ttl: '1h' })
    const { work } = counted()
    await idempotency.run(request, work)
    let now = false
    clock.setTimeout(() => (now = true), 60 * minute - 1)
    await clock.run(() => now)
    expect(await outcome(idempotency.run(request, work))).toBe('replayed "done"')
    clock.setTimeout(() => (now = false), 1)
    await clock.run(() => !now)
    expect(await outcome(idempotency.run(request, work))).toBe('executed "done"')
  })
})
