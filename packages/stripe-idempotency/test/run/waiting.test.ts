import { describe, expect, test } from 'vitest'
import { minute, outcome, request, sleep, world } from './world.ts'

describe('waiting', () => {
  test('50 duplicates have the answer in the moment that it is there', async () => {
    const { idempotency, clock } = world()
    const ends: number[] = []
    const outcomes: string[] = []
    const call = async (): Promise<void> => {
      outcomes.push(
        await outcome(
          idempotency.run({ ...request, wait: '5s' }, async () => {
            await sleep(clock, 1000)
            return 'done'
          }),
        ),
      )
      ends.push(clock.now())
    }
    for (let n = 0; n < 51; n++) clock.setTimeout(() => void call(), n)
    await clock.run(() => ends.length === 51)
    expect(ends).toEqual(Array.from({ length: 51 }, () => 1000))
    expect(outcomes.filter((each) => each === 'replayed "done"')).toHaveLength(50)
  })

  test('ends with the answer also where that comes when the retention of its key is over', async () => {
    const { idempotency, clock } = world({ ttl: '1m' })
    const outcomes: string[] = []
    const ask = async (): Promise<void> => {
      const work = async (): Promise<string> => {
        await sleep(clock, 2 * minute)
        return 'late'
      }
      outcomes.push(await outcome(idempotency.run({ ...request, wait: '5m' }, work)))
    }
    for (const at of [0, 1, minute + 1]) clock.setTimeout(() => void ask(), at)
    await clock.run(() => outcomes.length === 3)
    expect(outcomes).toEqual(['executed "late"', 'replayed "late"', 'replayed "late"'])
  })

  test('ends when it is over, and when the caller goes', async () => {
    const { idempotency, clock } = world()
    const outcomes: string[] = []
    void idempotency.run(request, () => sleep(clock, minute))
    const waiting = async (): Promise<void> => {
      const answer = await outcome(idempotency.run({ ...request, wait: 200 }, async () => 0))
      outcomes.push(`${answer} ${clock.now()}`)
    }
    clock.setTimeout(() => void waiting(), 10)
    await clock.run(() => outcomes.length === 1)
    expect(outcomes).toEqual(['in_use 210'])
  })
})
