import { existsSync } from 'node:fs'
import { isHydraConfigError } from '@loadbearing/hydra-config'
import { expect, test } from 'vitest'
import { configure } from '../test/configure.ts'

test('has a default for everything, and the files are there', async () => {
  const { flights, airports, policy, scenario, ...rest } = await configure([])
  expect(rest).toEqual({
    seed: 1,
    store: { kind: 'sqlite' },
    desk: { workers: 10, kill: 'paid', breaker: true },
  })
  expect([policy.name, scenario.name]).toEqual(['eu261', 'storm'])
  expect(flights).toEqual({ path: expect.stringMatching(/flights-20k\.json$/), limit: null })
  expect([flights.path, airports].every((path) => existsSync(path))).toBe(true)
})

test('eu261 is what the regulation and the desk say', async () => {
  const { policy } = await configure([])
  expect(policy.rules.map(({ delay, beyond, amount }) => [delay, beyond, amount])).toEqual([
    [180, 3500, 600],
    [180, 1500, 400],
    [180, 0, 250],
    [120, 0, 30],
    [60, 0, 15],
  ])
})

test('takes options of groups and overrides of values', async () => {
  expect(
    await configure([
      'flights=200k',
      'scenario=calm',
      'store=memory',
      'policy=uk261',
      'seed=42',
      'desk.workers=3',
      'desk.workers=4',
      'desk.kill=nobody',
      'desk.breaker=false',
    ]),
  ).toMatchObject({
    flights: { path: expect.stringMatching(/flights-3m\.parquet$/), limit: 200_000 },
    scenario: { name: 'calm', records: null, bank: null },
    store: { kind: 'memory' },
    policy: { currency: 'pounds' },
    seed: 42,
    desk: { workers: 4, kill: 'nobody', breaker: false },
  })
  expect((await configure(['flights=3m'])).flights.limit).toBeNull()
  expect((await configure(['flights=file', 'flights.path=a.json'])).flights.path).toBe('a.json')
  expect((await configure(['store=postgres', "store.url='postgres://h/d'"])).store).toEqual({
    kind: 'postgres',
    url: 'postgres://h/d',
  })
})

test.each([
  ['workers', /workers/],
  ['wrokers=3', /wrokers/],
  ['__proto__=1', /__proto__/],
  ['desk.workers=65', /desk\.workers/],
  ['desk.workers=2.5', /desk\.workers/],
  ['desk.workers=1', /nobody is left to take the claims of a killed worker; add desk\.kill=nobody/],
  ['seed=-1', /seed/],
  ['store=oracle', /store\/oracle[^]*memory[^]*postgres[^]*sqlite/],
  ['scenario=gale', /scenario\/gale[^]*calm[^]*storm/],
  ['desk.breaker=1', /desk\.breaker/],
  ['desk.kill=yes', /desk\.kill/],
  ['flights=30k', /flights\/30k[^]*200k[^]*20k[^]*3m/],
  ['policy.rules=[]', /policy\.rules/],
])('refuses %s', async (override, message) => {
  const error = await configure([override]).catch((thrown: unknown) => thrown)
  expect(isHydraConfigError(error)).toBe(true)
  expect(error).toMatchObject({ message: expect.stringMatching(message) })
})
