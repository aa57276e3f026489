import { type ComposeOptions, composeIn, composeWithHydra, openRepository } from '../compose/compose.ts'
import type { Repository } from '../defaults/repository.ts'
import { HydraConfigError } from '../errors.ts'
import { shuffled } from '../override/order-functions.ts'
import { type Element, isList, isSwept, type Override } from '../override/override.ts'
import { parseOverride } from '../override/parse.ts'
import { type Random, systemRandom } from '../ports.ts'
import type { MapValue, Value } from '../value/value.ts'
import { globbed } from './glob.ts'
import { rangeValues } from './range-values.ts'
import { valueText } from './value-text.ts'

/** Options of {@link sweep}. */
export interface SweepOptions extends ComposeOptions {
  /** Order of what is shuffled. Default: Math.random. */
  readonly random?: Random
}

/** How many jobs one sweep may have. */
const maxJobs = 1_000_000

/**
 * The jobs of a multirun, as Hydra's basic sweeper makes them: the cartesian product of all sweeps, the last one
 * fastest, those of `hydra.sweeper.params` before those of `overrides`. A later sweep of one key takes the place of an
 * earlier one. Every job is composed once, so that none fails later on.
 *
 * @returns for each job the overrides that make it
 * @throws {HydraConfigError} `SWEEP` for a sweep that cannot be enumerated, and what `compose` throws
 */
export async function sweep(options: SweepOptions): Promise<readonly (readonly string[])[]> {
  const { config, overrides = [], random = systemRandom } = options
  const repository = await openRepository(options)
  const parsed = overrides.map((text) => parseOverride(text, { random }))
  const ofHydra = parsed.filter(({ key }) => isOfHydra(key))
  for (const { text, value } of ofHydra) {
    if (isSweep(value))
      refuse(`Hydra's own configuration cannot be swept over: '${text}'`, 'ConfigCompositionException')
  }
  const master = composeWithHydra(repository, config, parsed, true)
  const params = paramsOf(master.value).map((text) => parseOverride(text, { random }))
  const jobs = jobsOf([...params, ...parsed.filter(({ key }) => !isOfHydra(key))], repository, random)
  for (const job of jobs)
    composeIn(repository, config, [...ofHydra, ...job.map((text) => parseOverride(text, { random }))])
  return jobs
}

/** @throws {HydraConfigError} `SWEEP` */
function jobsOf(overrides: readonly Override[], repository: Repository, random: Random): string[][] {
  const axes = new Map<string, readonly string[]>()
  for (const override of overrides) {
    const key = keyText(override)
    axes.set(
      key,
      textsOf(override, repository, random).map((text) => `${key}=${text}`),
    )
  }
  let jobs: string[][] = [[]]
  for (const texts of axes.values()) {
    if (jobs.length * texts.length > maxJobs) refuse(`the sweep has more than ${maxJobs} jobs`, 'MemoryError')
    jobs = jobs.flatMap((job) => texts.map((text) => [...job, text]))
  }
  return jobs
}

function textsOf({ value, key, text }: Override, repository: Repository, random: Random): readonly string[] {
  if (isList(value) || !isSwept(value)) return [valueText(value)]
  switch (value.kind) {
    case 'interval':
      return refuse(
        `'${text}' is an interval, which has no end of values; use a range or a choice`,
        'HydraException',
      )
    case 'glob':
      return globbed(repository.options(key), patterns(value.include), patterns(value.exclude))
    case 'choice':
    case 'range':
    default: {
      const list = value.kind === 'choice' ? value.list : rangeValues(value)
      return (value.shuffle ? shuffled(list, random) : list).map(valueText)
    }
  }
}

function patterns(elements: readonly Element[]): string[] {
  return elements.map((each) =>
    typeof each === 'string' ? each : refuse('a pattern of glob is a string without quotes', 'TypeError'),
  )
}

function keyText({ type, key, package: ofPackage }: Override): string {
  const prefix = { CHANGE: '', ADD: '+', FORCE_ADD: '++', DEL: '~' }[type]
  return `${prefix}${key}${ofPackage === undefined ? '' : `@${ofPackage}`}`
}

function isOfHydra(key: string): boolean {
  return key.startsWith('hydra.') || key.startsWith('hydra/')
}

function isSweep(value: Element): boolean {
  return !isList(value) && isSwept(value)
}

/** `hydra.sweeper.params`, one override each. */
function paramsOf(root: MapValue): string[] {
  let found: Value | undefined = root
  for (const step of ['hydra', 'sweeper', 'params']) {
    found = found?.kind === 'map' ? found.entries.get(step) : undefined
  }
  if (found?.kind !== 'map') return []
  return [...found.entries].map(([key, item]) =>
    item.kind === 'scalar'
      ? `${String(key)}=${paramText(item)}`
      : refuse(
          `hydra.sweeper.params.${String(key)} must be the text of a sweep`,
          'ConfigCompositionException',
        ),
  )
}

function paramText({ value }: Extract<Value, { kind: 'scalar' }>): string {
  if (typeof value === 'string') return value
  return valueText(value instanceof Uint8Array ? '' : value)
}

function refuse(message: string, ofClass: string): never {
  throw new HydraConfigError('SWEEP', message, { class: ofClass })
}
