import { existsSync } from 'node:fs'
import { isHydraConfigError } from '@loadbearing/hydra-config'
import { expect, test } from 'vitest'
import { configure } from '../test/configure.ts'

test('has a default for everything, and the files are there', async () => {
  const { flights, airports, policy, access, scenario, bank, ...rest } = await configure([])
  expect(rest).toEqual({
    seed: 1,
    keep: null,
    store: { kind: 'sqlite', synchronous: 'normal' },
    desk: { workers: 10, kill: 'called', breaker: true },
  })
  expect([policy.name, scenario.name, bank.name]).toEqual(['eu261', 'storm', 'storm'])
  expect([access.opens, access.closes]).toEqual(['06:00', '22:00'])
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

test('somebody works at every time at which the desk is open', async () => {
  for (const name of ['full', 'short']) {
    const { access } = await configure([`access=${name}`])
    const shifts = [access.supervisors, access.clerks]
    for (const staff of shifts) {
      expect(Math.min(...staff.map(({ begins }) => Number(begins.replace(':', ''))))).toBe(600)
      expect(Math.max(...staff.map(({ ends }) => Number(ends.replace(':', ''))))).toBe(2200)
    }
  }
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
    scenario: { name: 'calm', records: null },
    bank: { name: 'calm', fortune: null, dies: null, lookups: 'always' },
    store: { kind: 'memory' },
    policy: { currency: 'pounds', iso: 'gbp' },
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

test('the bank fares as the scenario does, if nothing else is said', async () => {
  expect((await configure(['scenario=calm', 'bank=storm'])).bank.name).toBe('storm')
  expect((await configure(['bank=calm', 'bank.retention=0'])).bank).toMatchObject({
    name: 'calm',
    retention: 0,
  })
  expect((await configure(['bank.dies.at=[kept]'])).bank.dies).toMatchObject({ times: 3, at: ['kept'] })
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
  ['bank=gale', /bank\/gale[^]*calm[^]*storm/],
  ['bank.retention=1.5', /bank\.retention/],
  ['bank.dies.at=[asleep]', /bank\.dies\.at/],
  ['bank.dies.at=[]', /bank\.dies\.at/],
  ['desk.breaker=1', /desk\.breaker/],
  ['desk.kill=yes', /desk\.kill/],
  ['flights=30k', /flights\/30k[^]*200k[^]*20k[^]*3m/],
  ['policy.rules=[]', /policy\.rules/],
  ['access=none', /access\/none[^]*full[^]*short/],
  ["access.opens='6:00'", /access\.opens[^]*as '06:30'/],
  ["access.closes='05:00'", /access\.closes[^]*after the desk opens/],
  ["access.date='2001-02-30'", /access\.date/],
  [
    "access.clerks=[{name:a,begins:'06:00',ends:'22:00'},{name:a,begins:'06:00',ends:'22:00'}]",
    /anybody twice/,
  ],
  ['access.supervisors=[]', /access\.supervisors/],
])('refuses %s', async (override, message) => {
  const error = await configure([override]).catch((thrown: unknown) => thrown)
  expect(isHydraConfigError(error)).toBe(true)
  expect(error).toMatchObject({ message: expect.stringMatching(message) })
})
