import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DeskError } from './errors.ts'
import type { FlightFile } from './flights.ts'
import type { HaltPoint } from './messages.ts'
import type { Scenario } from './weather.ts'

/** Where the bank keeps its ledger. */
type Store = 'sqlite' | 'memory'

export interface Configuration {
  readonly flights: FlightFile
  /** Path of the airports file. */
  readonly airports: string
  /** Number of worker processes. */
  readonly workers: number
  readonly store: Store
  /** Where the worker to be killed stands at that moment; `hang` stops one instead, `off` none. */
  readonly kill: HaltPoint | 'hang' | 'off'
  /** How airline and bank fare. */
  readonly scenario: Scenario
  /** Whether the calls to them go through circuits that open. */
  readonly breaker: boolean
  /** Picks the worker that is killed or hangs, and the storm. */
  readonly seed: number
}

export const HELP = `usage: pnpm start [option=value…]

Decides and pays the claims of delayed flights, kills a worker in the middle, counts again straight from the data.

  flights=20k     20k: flights-20k.json; 200k: the first 200,000 of flights-3m.parquet; 3m: all of it; or a path
                  to a .json or .parquet file with date, delay, distance, origin, destination
  airports=…      path to a CSV file with iata, latitude, longitude; default: airports.csv of vega-datasets
  workers=10      worker processes, 1 to 64
  store=sqlite    the bank's ledger: sqlite (a file, removed at the end) or memory
  kill=paid       a worker is killed having paid claims that it has not reported (paid), having taken claims
                  that it has not paid (taken); or it hangs with claims not paid, and pays them late (hang); or
                  none of it (off)
  scenario=storm  the airline's records service and the bank refuse, hang and slow down by turns, on a script that the
                  seed makes (storm), or they do not (calm)
  breaker=on      calls to them go through circuits that open (on), or through ones that never do (off)
  seed=1          which worker it is, and which storm; a whole number

Exit status: 0 when both totals agree, 1 when they differ or the run failed, 2 for a wrong option.`

type Options = Record<
  'flights' | 'airports' | 'workers' | 'store' | 'kill' | 'scenario' | 'breaker' | 'seed',
  string
>

/** Reads Hydra-style overrides, `key=value`; of two for one key the last counts. */
export function configure(overrides: readonly string[]): Configuration {
  const options = readOptions(overrides)
  const workers = wholeNumber('workers', options.workers, 1, 64)
  const kill = oneOf('kill', options.kill, ['paid', 'taken', 'hang', 'off'])
  if (kill !== 'off' && workers === 1) {
    throw wrong('workers=1: nobody is left to take the claims of a killed worker; add kill=off')
  }
  return {
    flights: flightFile(options.flights),
    airports: resolve(options.airports),
    workers,
    store: oneOf('store', options.store, ['sqlite', 'memory']),
    kill,
    scenario: oneOf('scenario', options.scenario, ['calm', 'storm']),
    breaker: oneOf('breaker', options.breaker, ['on', 'off']) === 'on',
    seed: wholeNumber('seed', options.seed, 0, Number.MAX_SAFE_INTEGER),
  }
}

function readOptions(overrides: readonly string[]): Options {
  const options: Options = {
    flights: '20k',
    airports: dataset('airports.csv'),
    workers: '10',
    store: 'sqlite',
    kill: 'paid',
    scenario: 'storm',
    breaker: 'on',
    seed: '1',
  }
  for (const override of overrides) {
    const at = override.indexOf('=')
    const key = override.slice(0, at)
    if (at < 0) throw wrong(`'${override}' is not of the form option=value`)
    if (!isOption(options, key)) {
      throw wrong(`there is no option '${key}'; the options are ${Object.keys(options).join(', ')}`)
    }
    const value = override.slice(at + 1)
    if (value === '') throw wrong(`${key}= lacks its value`)
    options[key] = value
  }
  return options
}

function isOption(options: Options, key: string): key is keyof Options {
  return Object.hasOwn(options, key)
}

function flightFile(value: string): FlightFile {
  switch (value) {
    case '20k':
      return { path: dataset('flights-20k.json') }
    case '200k':
      return { path: dataset('flights-3m.parquet'), limit: 200_000 }
    case '3m':
      return { path: dataset('flights-3m.parquet') }
    default:
      if (/\.(?:json|parquet)$/.test(value)) return { path: resolve(value) }
      throw wrong(`flights=${value}: expected 20k, 200k, 3m or a path ending in .json or .parquet`)
  }
}

/** The package exports no data files, but its entry, which lies beside them. */
function dataset(file: string): string {
  return join(fileURLToPath(import.meta.resolve('vega-datasets')), '../../data', file)
}

function wholeNumber(key: string, value: string, least: number, most: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (number >= least && number <= most) return number
  throw wrong(`${key}=${value}: expected a whole number from ${least} to ${most}`)
}

function oneOf<const Choice extends string>(key: string, value: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((each) => each === value)
  if (choice !== undefined) return choice
  throw wrong(`${key}=${value}: expected ${choices.join(', ')}`)
}

function wrong(message: string): DeskError {
  return new DeskError('BAD_OPTION', message)
}
