import {
  applied,
  createIdempotency,
  type Execution,
  type IdempotencyOptions,
} from '@loadbearing/stripe-idempotency'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../virtual-clock.ts'
import { counted, minute, outcome, request, sleep, world } from './world.ts'

describe('leases and fences', () => {
  /** A holder that stands still for so long: its timers do not run, and then all at once. */
  function paused(clock: VirtualClock, until: number): IdempotencyOptions['clock'] {
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimeout: (callback, delay) => clock.setTimeout(callback, Math.max(delay, until - clock.now())),
      clearTimeout: (handle) => clock.clearTimeout(handle),
    }
  }

  test('a holder that works on keeps its lease, however long it takes', async () => {
    const { idempotency, other, clock } = world()
    const outcomes: string[] = []
    void outcome(idempotency.run(request, () => sleep(clock, 60 * minute))).then((each) =>
      outcomes.push(each),
    )
    const probe = async (): Promise<void> => {
      outcomes.push(await outcome(other.run({ ...request, rerun: 'safe' }, async () => 'twice')))
    }
    for (let n = 1; n < 60; n++) clock.setTimeout(() => void probe(), n * minute)
    await clock.run(() => outcomes.length === 60)
    expect(outcomes.slice(0, 59)).toEqual(Array.from({ length: 59 }, () => 'in_use'))
    expect(outcomes[59]).toBe('executed undefined')
  })

  test.each([
    ['comes back with an answer', async () => 'late'],
    [
      'comes back with an error',
      async () => {
        throw new Error('late')
      },
    ],
  ])('a holder that was paused %s changes nothing of what the next one did', async (_, end) => {
    const { clock, store, other } = world()
    const stuck = createIdempotency({ store, clock: paused(clock, 3 * minute) ?? clock })
    const outcomes: string[] = []
    const signals: Execution['signal'][] = []
    const first = outcome(
      stuck.run(request, async ({ signal }) => {
        signals.push(signal)
        await sleep(clock, 3 * minute + 1)
        return end()
      }),
    ).then((each) => outcomes.push(each))
    const next = async (): Promise<void> => {
      outcomes.push(await outcome(other.run({ ...request, rerun: 'safe' }, async () => 'winner')))
    }
    clock.setTimeout(() => void next(), 2 * minute)
    await clock.run(() => outcomes.length === 2)
    await first
    expect(outcomes[0]).toBe('executed "winner"')
    expect(outcomes[1]).toBe(_.endsWith('error') ? 'threw Error: late' : 'replayed "winner"')
    expect(signals[0]?.aborted).toBe(true)
    expect(await outcome(other.run(request, async () => 'again'))).toBe('replayed "winner"')
  })

  test('what was lost in the middle is uncertain, and never run again, until it is settled', async () => {
    const { clock, store, other } = world()
    const stuck = createIdempotency({ store, clock: paused(clock, 600 * minute) ?? clock })
    void stuck.run(request, () => new Promise(() => {}))
    let now = false
    clock.setTimeout(() => (now = true), 2 * minute)
    await clock.run(() => now)
    const { work, count } = counted()
    expect(await outcome(other.run(request, work))).toBe('uncertain')
    expect(await outcome(other.run(request, work))).toBe('uncertain')
    const [record] = await store.list({ limit: 10, state: 'uncertain' })
    expect(record?.scope).toBe('acct_1')
    expect(count()).toBe(0)
    expect(record && (await store.settle(record, null))).toBe(true)
    expect(await outcome(other.run(request, work))).toBe('executed "done"')
  })

  test('who wakes when it was taken for uncertain is told so, as all who ask from then on', async () => {
    const { clock, store, other } = world()
    const stuck = createIdempotency({ store, clock: paused(clock, 3 * minute) ?? clock })
    const outcomes: string[] = []
    let lost = 0
    stuck.on('lease-lost', () => lost++)
    const work = async (): Promise<string> => {
      await sleep(clock, 3 * minute + 1)
      return 'its own'
    }
    const first = outcome(stuck.run(request, work)).then((each) => outcomes.push(each))
    const ask = async (): Promise<void> => {
      outcomes.push(await outcome(other.run(request, async () => 'another')))
    }
    clock.setTimeout(() => void ask(), 2 * minute)
    await clock.run(() => outcomes.length === 2)
    await first
    expect(outcomes).toEqual(['uncertain', 'uncertain'])
    expect(lost).toBe(1)
  })

  test('who wakes when somebody has settled it answers as was settled, and is told that it lost its lease', async () => {
    const { clock, store, other } = world()
    const stuck = createIdempotency({ store, clock: paused(clock, 3 * minute) ?? clock })
    const outcomes: string[] = []
    let lost = 0
    stuck.on('lease-lost', () => lost++)
    const first = outcome(
      stuck.run(request, async () => {
        await sleep(clock, 3 * minute + 1)
        return 'its own'
      }),
    ).then((each) => outcomes.push(each))
    const settle = async (): Promise<void> => {
      expect(await outcome(other.run(request, async () => 'another'))).toBe('uncertain')
      const [record] = await store.list({ limit: 10, state: 'uncertain' })
      if (record !== undefined) await other.resolve(record, applied('settled'))
    }
    clock.setTimeout(() => void settle(), 2 * minute)
    await clock.run(() => outcomes.length === 1)
    await first
    expect(outcomes).toEqual(['replayed "settled"'])
    expect(lost).toBe(1)
    expect(await outcome(other.run(request, async () => 'another'))).toBe('replayed "settled"')
  })
})
