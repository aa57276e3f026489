import { type BreakerOptions, breakerSettings } from '../breaker-options.ts'
import { InvalidOptionError, shown } from '../errors.ts'
import { checkDuration, checkFlag, checkInteger, checkNames, checkNumber } from '../option-checks.ts'
import { exponential } from '../policy/backoff.ts'
import type { Random } from '../ports.ts'
import { presets } from '../preset/presets.ts'
import { seededRandom } from './seeded-random.ts'

/** What befalls some breakers, and when. */
export interface Scenario {
  /** Milliseconds. */
  readonly duration: number
  readonly seed: number
  readonly breakers: readonly ScenarioBreaker[]
}

export interface ScenarioBreaker {
  readonly name: string
  /** Without name and clock. */
  readonly options: BreakerOptions
  /** Whether a fallback answers what fails. */
  readonly fallback: boolean
  /** In the order of their times. */
  readonly steps: readonly ScenarioStep[]
}

const stepActions = ['force-open', 'force-closed', 'disable', 'metrics-only', 'reset'] as const
export type StepAction = (typeof stepActions)[number]

/** What is so from `at` on; what is undefined stays as it was. */
export interface ScenarioStep {
  readonly at: number
  /** Calls in a second. */
  readonly rate: number | undefined
  /** Milliseconds that a call takes, from and to. */
  readonly takes: readonly [from: number, to: number] | undefined
  /** Shares of the calls, 0 to 1. */
  readonly fails: number | undefined
  readonly hangs: number | undefined
  readonly do: StepAction | undefined
}

export const scenarioUsage: string = `A scenario is JSON or YAML:

  duration: 60s                  # default: 30 s after the last step
  seed: 1                        # of what is drawn; default 1
  breakers:
    payments:
      options:                   # of a breaker, as in code: volumeThreshold, errorThreshold, sleepWindow, probes, slow,
        timeout: 1s              #   window, consecutive, timeout, bulkhead, … ; durations are milliseconds or like 30s
      preset:                    # instead of the options of the circuit: hystrix, resilience4j, polly, opossum or
        resilience4j:            #   envoyOutlier, with its own options
          slidingWindowSize: 50
          waitDurationInOpenState: 5s
      fallback: true             # default false
      steps:                     # what is so from a time on; what a step does not name stays
        - { at: 0s, rate: 20, takes: 20ms }                  # calls in a second, and how long they take
        - { at: 10s, fails: 0.8, takes: [10ms, 200ms] }      # share that fails; times drawn between
        - { at: 20s, fails: 0, hangs: 0.5 }                  # share that never ends
        - { at: 40s, hangs: 0, do: force-open }              # ${stepActions.slice(0, 4).join(', ')}
        - { at: 50s, do: reset }

  sleepWindow can grow: { initial: 1s, factor: 2, max: 30s }
`

const breakersMax = 100
const stepsMax = 10_000
const callsMax = 1_000_000
const tailMs = 30_000

/** @throws InvalidOptionError naming the place in the scenario. */
export function readScenario(value: unknown, otherSeed?: number): Scenario {
  const { duration, seed = 1, breakers } = fieldsOf('the scenario', value, ['duration', 'seed', 'breakers'])
  const read = {
    seed: checkInteger('seed', otherSeed ?? seed, 0, 2 ** 31),
    breakers: entriesOf('breakers', breakers),
  }
  if (read.breakers.length === 0 || read.breakers.length > breakersMax)
    throw new InvalidOptionError(`breakers must be 1 to ${breakersMax}, not ${read.breakers.length}`)
  const all = read.breakers.map(([name, each]) =>
    readBreaker(name, each, seededRandom(read.seed, `${name} wait`)),
  )
  const lastStep = Math.max(...all.flatMap(({ steps }) => steps.map(({ at }) => at)))
  const scenario = {
    duration: duration === undefined ? lastStep + tailMs : checkDuration('duration', duration),
    seed: read.seed,
    breakers: all,
  }
  checkCalls(scenario)
  return scenario
}

function readBreaker(name: string, value: unknown, random: Random): ScenarioBreaker {
  const at = `breakers.${name}`
  const {
    options = {},
    preset,
    fallback = false,
    steps,
  } = fieldsOf(at, value, ['options', 'preset', 'fallback', 'steps'])
  const given = fieldsOf(`${at}.options`, options)
  for (const own of ['name', 'circuit', 'clock', 'isFailure', 'cacheKey'])
    if (own in given) throw new InvalidOptionError(`${at}.options: ${own} cannot be given in a scenario`)
  const { sleepWindow } = given
  const read: BreakerOptions = {
    ...given,
    ...(isObject(sleepWindow) ? { sleepWindow: exponential({ ...sleepWindow, random }) } : {}),
    ...(preset === undefined ? {} : { circuit: readPreset(`${at}.preset`, preset) }),
  }
  try {
    breakerSettings({ ...read, name }, false)
  } catch (error) {
    if (error instanceof InvalidOptionError) throw new InvalidOptionError(`${at}.options: ${error.message}`)
    throw error
  }
  return {
    name,
    options: read,
    fallback: checkFlag(`${at}.fallback`, fallback),
    steps: listOf(`${at}.steps`, steps)
      .map((step, index) => readStep(`${at}.steps[${index}]`, step))
      .toSorted((a, b) => a.at - b.at),
  }
}

function readPreset(at: string, value: unknown): NonNullable<BreakerOptions['circuit']> {
  const [[name, options] = [], ...more] = entriesOf(at, value)
  if (name !== undefined && more.length === 0 && Object.hasOwn(presets, name)) {
    // Each preset checks its options.
    const make = presets[name as keyof typeof presets] as (
      options: object,
    ) => NonNullable<BreakerOptions['circuit']>
    return make(fieldsOf(`${at}.${name}`, options ?? {}))
  }
  throw new InvalidOptionError(
    `${at} must name one of ${Object.keys(presets).join(', ')}${name === undefined ? '' : `, not ${shown(name)}`}`,
  )
}

function readStep(where: string, value: unknown): ScenarioStep {
  const {
    at,
    rate,
    takes,
    fails,
    hangs,
    do: action,
  } = fieldsOf(where, value, ['at', 'rate', 'takes', 'fails', 'hangs', 'do'])
  if (action !== undefined && !stepActions.some((each) => each === action))
    throw new InvalidOptionError(`${where}.do must be one of ${stepActions.join(', ')}, not ${shown(action)}`)
  return {
    at: durationOrZero(`${where}.at`, at),
    rate: rate === undefined ? undefined : checkNumber(`${where}.rate`, rate, 0, 10_000),
    takes: takes === undefined ? undefined : readTakes(`${where}.takes`, takes),
    fails: fails === undefined ? undefined : checkNumber(`${where}.fails`, fails, 0, 1),
    hangs: hangs === undefined ? undefined : checkNumber(`${where}.hangs`, hangs, 0, 1),
    do: stepActions.find((each) => each === action),
  }
}

function readTakes(at: string, value: unknown): [number, number] {
  if (!Array.isArray(value)) {
    const takes = durationOrZero(at, value)
    return [takes, takes]
  }
  const [from, to] = [durationOrZero(`${at}[0]`, value[0]), durationOrZero(`${at}[1]`, value[1])]
  if (value.length === 2 && from <= to) return [from, to]
  throw new InvalidOptionError(`${at} must be a duration, or the shortest and the longest one`)
}

function durationOrZero(name: string, value: unknown): number {
  return value === 0 || /^0(ms|s|m|h|d)?$/.test(String(value)) ? 0 : checkDuration(name, value)
}

function checkCalls({ duration, breakers }: Scenario): void {
  let calls = 0
  for (const { steps } of breakers) {
    let rate = 0
    let from = 0
    for (const step of steps) {
      calls += (Math.max(0, Math.min(step.at, duration) - from) / 1000) * rate
      from = Math.min(step.at, duration)
      rate = step.rate ?? rate
    }
    calls += ((duration - from) / 1000) * rate
  }
  if (calls > callsMax)
    throw new InvalidOptionError(
      `The scenario has ${Math.round(calls)} calls, and ${callsMax} is the most: lower rate or duration`,
    )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fieldsOf(what: string, value: unknown, known?: readonly string[]): Partial<Record<string, unknown>> {
  if (!isObject(value)) throw new InvalidOptionError(`${what} must be an object, not ${shown(value)}`)
  if (known !== undefined) checkNames(what, value, known)
  return value
}

function entriesOf(what: string, value: unknown): [string, unknown][] {
  return Object.entries(fieldsOf(what, value))
}

function listOf(what: string, value: unknown): unknown[] {
  if (Array.isArray(value) && value.length > 0 && value.length <= stepsMax) return value
  throw new InvalidOptionError(
    `${what} must be a list of 1 to ${stepsMax} steps, not ${Array.isArray(value) ? `of ${value.length}` : shown(value)}`,
  )
}
