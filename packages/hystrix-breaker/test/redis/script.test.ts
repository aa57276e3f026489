import { eventually } from '@loadbearing/harness/faults'
import { redis, type Service, skipWithout } from '@loadbearing/harness/services'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Exchange, FleetRecord } from '../../src/adapters/redis-member.ts'
import { exchangeArguments, exchangeScript } from '../../src/adapters/redis-script.ts'
import { ScriptModel } from './script-model.ts'

interface Step {
  readonly member: 'a' | 'b' | 'c'
  /** Of the record as this member last saw it, or later than any. */
  readonly known: 'current' | 'older' | 'newer'
  readonly exchange: Omit<Exchange, 'known'>
  readonly late: boolean
}

// Waits are over at once or never, so that no answer hangs on the millisecond that a command was run in.
const wait = fc.constantFrom(0, 3_600_000)
const step: fc.Arbitrary<Step> = fc.record({
  member: fc.constantFrom('a' as const, 'b' as const, 'c' as const),
  known: fc.oneof(
    { weight: 12, arbitrary: fc.constant('current' as const) },
    { weight: 1, arbitrary: fc.constantFrom('older' as const, 'newer' as const) },
  ),
  exchange: fc.record({
    report: fc.record({
      open: fc.boolean(),
      bad: fc.boolean(),
      total: fc.nat(20),
      failures: fc.nat(20),
      slow: fc.nat(20),
    }),
    proposal: fc.constantFrom(
      'none',
      'lease',
      'lease',
      'release',
      'open',
      'reopen',
      'closed',
      'reset',
      'leave',
    ),
    holds: fc.boolean(),
    wait,
  }),
  late: fc.integer({ min: 0, max: 19 }).map((each) => each === 0),
})

describe.skipIf(skipWithout('redis'))('the script on a real Redis', () => {
  let server: Service
  let client: Redis

  beforeAll(async () => {
    server = await redis({ name: 'breaker-script' })
    client = new Redis(server.url)
  })
  afterAll(async () => {
    client?.disconnect()
    await server?.stop()
  })

  test('answers, keeps and publishes what the model does, on random exchanges', async () => {
    const heard: string[] = []
    const listener = client.duplicate()
    listener.on('message', (_, message: string) => heard.push(message))
    await listener.subscribe('circuits')
    let run = 0
    let judged = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        run++
        const keys = [`{${run}}`, `{${run}}:reports`, `{${run}}:probe`]
        const told: string[] = []
        let micros = 0
        // Where a generation begins, the model takes the one that Redis gave, once it is seen to be later.
        const model = new ScriptModel(
          () => micros,
          (_, message) => told.push(message),
        )
        let last: FleetRecord = { generation: 0, state: 'closed', waitLeft: 0, attempt: 0 }
        for (const { member, known, exchange, late } of steps) {
          const shift = known === 'older' ? -1 : known === 'newer' ? 1 : 0
          const args = exchangeArguments(
            { ...exchange, known: { ...last, generation: Math.max(0, last.generation + shift) } },
            {
              member,
              channel: 'circuits',
              tag: String(run),
              quorum: 2,
              leaseTtl: 3_600_000,
              reportTtl: 3_600_000,
              deadline: late ? 1 : 0,
            },
          )
          const reply: unknown = await client.eval(exchangeScript, 3, ...keys, ...args)
          const answer = Array.isArray(reply) ? reply.map(String) : []
          const generation = Number(answer[5])
          expect(generation).toBeGreaterThanOrEqual(last.generation)
          micros = generation > last.generation + 1 ? generation : Number(answer[0]) * 1000
          expect(model.run(keys, args).slice(1)).toEqual(answer.slice(1))
          judged++
          last = {
            generation,
            state: answer[6] === 'open' ? 'open' : 'closed',
            waitLeft: Number(answer[7]),
            attempt: Number(answer[8]),
          }
        }
        await eventually(() => heard.filter((each) => each.startsWith(`${run} `)).length === told.length)
        expect(heard.filter((each) => each.startsWith(`${run} `))).toEqual(told)
        heard.length = 0
      }),
      { numRuns: 300 },
    )
    listener.disconnect()
    expect(judged).toBeGreaterThan(1000)
  })
})
