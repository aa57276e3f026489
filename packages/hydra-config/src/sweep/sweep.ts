import {
  type ComposeOptions,
  composeIn,
  composeWithHydra,
  openRepository,
  resolveOptions,
} from '../compose/compose.ts'
import { HydraConfigError } from '../errors.ts'
import { type Element, isList, isSwept, type Override } from '../override/override.ts'
import { parseOverride } from '../override/parse.ts'
import { parseOverrides } from '../override/parse-overrides.ts'
import { type Random, systemRandom } from '../ports.ts'
import { pythonString } from '../value/python-string.ts'
import type { MapValue, Value } from '../value/value.ts'
import { isKeyedCall, parseSweep } from './parse-sweep.ts'
import { planJobs, type SweepPlan } from './plan.ts'
import { seededRandom } from './seeded-random.ts'
import { valueText } from './value-text.ts'

/** Options of {@link sweep}. */
export interface SweepOptions extends ComposeOptions {
  /** Order of what is shuffled. Default: Math.random. */
  readonly random?: Random
  /** Instead of `random`: the same integer gives the same order. */
  readonly seed?: number
  /** Leaves jobs out: called with the text of each key's value. Default: keeps all. */
  readonly filter?: (job: ReadonlyMap<string, string>) => boolean
}

/** How many jobs {@link sweep} makes at once. */
const maxJobs = 1_000_000

/**
 * The jobs of a multirun, as Hydra's basic sweeper makes them: the cartesian product of all sweeps, the last one
 * fastest, those of `hydra.sweeper.params` before those of `overrides`. A later sweep of one key takes the place of an
 * earlier one. Every job is composed once, so that none fails later on.
 *
 * Beside the overrides of Hydra's grammar there are `zip(model=[a,b],size=[s,l])`, whose keys change together, and
 * `exclude(model=a,size=[s,l])`, which leaves out the jobs that have one of the values of each key.
 *
 * @returns for each job the overrides that make it
 * @throws {HydraConfigError} `SWEEP` for a sweep that cannot be enumerated or has more than 1,000,000 jobs,
 * `INVALID_OPTION`, and what `compose` throws
 */
export async function sweep(options: SweepOptions): Promise<readonly (readonly string[])[]> {
  const { plan, check } = await prepare(options)
  const jobs: (readonly string[])[] = []
  if (plan.combinations > maxJobs && options.filter === undefined) refuseTooMany()
  for (const job of plan) {
    if (jobs.length === maxJobs) refuseTooMany()
    jobs.push(job)
  }
  for (const job of jobs) check(job)
  return jobs
}

/**
 * As {@link sweep}, but each job is made when it is asked for, and none is composed before: for sweeps of any size.
 * @throws {HydraConfigError} as {@link sweep}
 */
export async function planSweep(options: SweepOptions): Promise<SweepPlan> {
  return (await prepare(options)).plan
}

async function prepare(
  options: SweepOptions,
): Promise<{ plan: SweepPlan; check: (job: readonly string[]) => void }> {
  const { config, overrides = [], semantics, filter } = options
  const random = randomOf(options)
  const repository = await openRepository(options)
  const resolve = resolveOptions(options, repository)
  const { secretPaths } = resolve
  const parsing = { random, ...(semantics === undefined ? {} : { semantics }) }
  if (secretPaths !== undefined) {
    // What sets a secret and cannot be read is refused without its text.
    const ofSecrets = overrides.filter((text) => secretPaths.shownText(text) !== text)
    parseOverrides(ofSecrets, { ...parsing, secretPaths })
  }
  const seal = (override: Override): Override => secretPaths?.sealed(override) ?? override
  const parsedSweep = parseSweep(overrides, parsing)
  const entries = parsedSweep.entries.map((entry) => (isKeyedCall(entry) ? entry : seal(entry)))
  const parsed = entries.filter((entry): entry is Override => !isKeyedCall(entry))
  const ofHydra = parsed.filter(({ key }) => isOfHydra(key))
  for (const { text, value } of ofHydra) {
    if (isSweep(value))
      refuse(`Hydra's own configuration cannot be swept over: '${text}'`, 'ConfigCompositionException')
  }
  const master = composeWithHydra(repository, config, parsed, true, resolve)
  const params = paramsOf(master.value).map((text) => seal(parseOverride(text, parsing)))
  const swept = entries.filter((entry) => isKeyedCall(entry) || !isOfHydra(entry.key))
  const plan = planJobs([...params, ...swept], { repository, random, filter })
  const parsedOnce = new Map<string, Override>()
  const parse = (text: string): Override => {
    const known = parsedOnce.get(text) ?? seal(parseOverride(text, parsing))
    parsedOnce.set(text, known)
    return known
  }
  return {
    plan,
    check: (job) => void composeIn(repository, config, [...ofHydra, ...job.map(parse)], resolve),
  }
}

function randomOf({ random, seed }: SweepOptions): Random {
  if (seed === undefined) return random ?? systemRandom
  if (random === undefined) return seededRandom(seed)
  throw new HydraConfigError('INVALID_OPTION', 'seed and random are given; give one of them')
}

function isOfHydra(key: string): boolean {
  return key.startsWith('hydra.') || key.startsWith('hydra/')
}

function isSweep(value: Element): boolean {
  return !isList(value) && isSwept(value)
}

/** `hydra.sweeper.params`, one override each. */
export function paramsOf(root: MapValue): string[] {
  let found: Value | undefined = root
  for (const step of ['hydra', 'sweeper', 'params']) {
    found = found?.kind === 'map' ? found.entries.get(step) : undefined
  }
  if (found?.kind !== 'map') return []
  return [...found.entries].map(
    ([key, item]) => `${String(key)}=${item.kind === 'scalar' ? paramText(item) : pythonString(item)}`,
  )
}

function paramText({ value }: Extract<Value, { kind: 'scalar' }>): string {
  if (typeof value === 'string') return value
  return valueText(value instanceof Uint8Array ? '' : value)
}

function refuseTooMany(): never {
  refuse(`the sweep has more than ${maxJobs} jobs; planSweep makes them one by one`, 'MemoryError')
}

function refuse(message: string, ofClass: string): never {
  throw new HydraConfigError('SWEEP', message, { class: ofClass })
}
