import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Fate } from './process.ts'
import { type BankFault, type Came, hour, minute, type Reconcile, World } from './ride.ts'

/** What must hold whatever has happened, once all has come to rest. */
async function check(
  kind: 'sqlite' | 'memory',
  world: World,
  came: readonly (Came | undefined)[],
  end: Came,
): Promise<void> {
  const count = (what: string): number => world.ledger.filter((entry) => entry.startsWith(what)).length
  expect(world.applications.length).toBeLessThanOrEqual(1)
  expect(count('ride')).toBeLessThanOrEqual(1)
  expect(count('paid')).toBeLessThanOrEqual(1)
  const jobs = await world.jobs()
  // In one commit with what it is for, or, without transactions, after it.
  if (kind === 'sqlite' || 'value' in end) expect(jobs.length).toBe(count('paid'))
  else expect(jobs.length).toBeLessThanOrEqual(count('paid'))
  const values = [...came, end].flatMap((each) => (each !== undefined && 'value' in each ? [each.value] : []))
  for (const value of values) expect(value).toEqual({ charge: world.applications[0] })
  if ('value' in end) {
    expect(world.applications).toHaveLength(1)
    expect([count('ride'), count('paid')]).toEqual([1, 1])
  } else {
    expect(end.outcome).toBe('uncertain')
    expect(values).toEqual([])
  }
}

async function finish(world: World): Promise<Came> {
  await world.heal()
  const { came } = world.begin({})
  await world.clock.run(() => came() !== undefined)
  return came() ?? { outcome: 'nothing' }
}

/** As many places as a ride without faults passes. */
async function placesOf(kind: 'sqlite' | 'memory'): Promise<number> {
  await using world = new World(kind, 'has no way')
  const { process, came } = world.begin({})
  await world.clock.run(() => came() !== undefined)
  expect(came()).toHaveProperty('value')
  return process.places
}

describe.each(['sqlite', 'memory'] as const)('a process that dies, on a store in %s,', (kind) => {
  test.each<[string, number, Reconcile]>([
    ['is followed by another within the retention of the bank', 3 * minute, 'has no way'],
    ['is followed by another when the bank may have forgotten', 3 * hour, 'has no way'],
    ['is followed by another that can ask the bank', 3 * hour, 'asks'],
  ])('anywhere, %s', async (_, pause, reconcile) => {
    const places = await placesOf(kind)
    expect(places).toBeGreaterThan(15)
    let uncertain = 0
    for (let diesAt = 0; diesAt < places; diesAt++) {
      await using world = new World(kind, reconcile)
      const { process, came } = world.begin({ diesAt })
      await world.wait(pause)
      expect(process.dead).toBe(true)
      const end = await finish(world)
      await check(kind, world, [came()], end)
      if (!('value' in end)) uncertain++
    }
    // Only who may have called the bank and cannot ask it, or began to write where there are no transactions, is in doubt.
    if (kind === 'sqlite' && (pause < hour || reconcile === 'asks')) expect(uncertain).toBe(0)
    else expect(uncertain).toBeGreaterThan(0)
    expect(uncertain).toBeLessThan(places)
  })
})

test.each(['sqlite', 'memory'] as const)(
  'a process that stands still, on a store in %s, until the bank has forgotten does not call it when it goes on',
  async (kind) => {
    const places = await placesOf(kind)
    const calledTwice: number[] = []
    for (let stopsAt = 0; stopsAt < places; stopsAt++) {
      await using world = new World(kind, 'has no way')
      const { came } = world.begin({ stopsAt, stopsFor: 3 * hour })
      await world.wait(5 * minute)
      const { came: other } = world.begin({})
      await world.wait(4 * hour)
      const end = await finish(world)
      if (world.applications.length > 1) calledTwice.push(stopsAt)
      else await check(kind, world, [came(), other()], end)
    }
    // Where it stands still in the call itself, nobody but the bank could tell.
    expect(calledTwice.length).toBeLessThan(2)
  },
)

const fault: fc.Arbitrary<BankFault> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<BankFault>('answers') },
  fc.constantFrom<BankFault>('loses its answer', 'does not hear'),
  fc.record({ late: fc.integer({ min: 1, max: 5 * minute }) }),
)
const place = fc.nat(60)
const fate: fc.Arbitrary<Fate> = fc.oneof(
  fc.record({ diesAt: place }),
  // The bank's clock and ours may differ by less than what is left alone of its retention.
  fc.record({ stopsAt: place, stopsFor: fc.constantFrom(30_000, 61_000, 2 * minute, 5 * minute) }),
  fc.record({ stopsAt: place, stopsFor: fc.constant(2 * minute), diesAt: place }),
  fc.constant({}),
)
const attempt = fc.record({
  fate,
  faults: fc.array(fault, { maxLength: 3 }),
  after: fc.constantFrom(0, 1, 20_000, 59_000, 61_000, 3 * minute, hour, 3 * hour),
})

describe.each([
  ['sqlite', 150],
  ['memory', 200],
] as const)('whatever befalls them, on a store in %s,', (kind, numRuns) => {
  // oxlint-disable-next-line vitest/expect-expect -- check() expects, in every run.
  test.each<Reconcile>(['asks', 'cannot tell', 'has no way'])(
    'processes have one effect, or say that nobody knows; where the phase %s',
    async (reconcile) => {
      await fc.assert(
        fc.asyncProperty(fc.array(attempt, { minLength: 1, maxLength: 5 }), async (attempts) => {
          await using world = new World(kind, reconcile)
          const begun: (() => Came | undefined)[] = []
          for (const each of attempts) {
            await world.wait(each.after)
            begun.push(world.begin(each.fate, each.faults).came)
          }
          await world.wait(20 * minute)
          const end = await finish(world)
          await check(
            kind,
            world,
            begun.map((came) => came()),
            end,
          )
          if (kind === 'sqlite' && reconcile === 'asks') expect(end).toHaveProperty('value')
        }),
        { numRuns },
      )
    },
  )
})
