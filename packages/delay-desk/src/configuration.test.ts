import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { configure } from './configuration.ts'
import { DeskError } from './errors.ts'

test('has a default for everything, and the files are there', () => {
  const { flights, airports, ...rest } = configure([])
  expect(rest).toEqual({
    workers: 10,
    store: 'sqlite',
    kill: 'paid',
    scenario: 'storm',
    breaker: true,
    seed: 1,
  })
  expect(flights.path).toMatch(/flights-20k\.json$/)
  expect([flights.path, airports].every((path) => existsSync(path))).toBe(true)
})

test('takes overrides, of two the last', () => {
  const configuration = configure([
    'workers=3',
    'store=memory',
    'kill=off',
    'seed=42',
    'scenario=calm',
    'breaker=off',
    'flights=200k',
    'workers=4',
  ])
  expect(configuration).toMatchObject({
    workers: 4,
    store: 'memory',
    kill: 'off',
    seed: 42,
    scenario: 'calm',
    breaker: false,
    flights: { limit: 200_000 },
  })
  expect(configuration.flights.path).toMatch(/flights-3m\.parquet$/)
  expect(configure(['flights=3m']).flights).not.toHaveProperty('limit')
  expect(configure(['flights=a=b.json']).flights.path).toBe(resolve('a=b.json'))
})

test.each([
  ['workers', "'workers' is not of the form option=value"],
  ['=3', "there is no option ''"],
  ['constructor=3', "there is no option 'constructor'"],
  ['workers=', 'workers= lacks its value'],
  ['workers=65', 'workers=65: expected a whole number from 1 to 64'],
  ['workers=2.5', 'workers=2.5: expected'],
  ['workers=1e1', 'workers=1e1: expected'],
  ['workers=1', 'nobody is left to take the claims of a killed worker; add kill=off'],
  ['seed=-1', 'seed=-1: expected a whole number'],
  ['store=postgres', 'store=postgres: expected sqlite, memory'],
  ['scenario=gale', 'scenario=gale: expected calm, storm'],
  ['breaker=1', 'breaker=1: expected on, off'],
  ['kill=yes', 'kill=yes: expected paid, taken, hang, off'],
  ['flights=30k', 'flights=30k: expected 20k, 200k, 3m or a path ending in .json or .parquet'],
])('refuses %s', (override, message) => {
  let error: unknown
  try {
    configure([override])
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(DeskError)
  expect(error).toMatchObject({ code: 'BAD_OPTION', message: expect.stringContaining(message) })
})
