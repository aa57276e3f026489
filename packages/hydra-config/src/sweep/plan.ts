import type { Repository } from '../defaults/repository.ts'
import { HydraConfigError } from '../errors.ts'
import { shuffled } from '../override/order-functions.ts'
import { type Element, isList, isSwept, type Override } from '../override/override.ts'
import type { Random } from '../ports.ts'
import { globbed } from './glob.ts'
import { isKeyedCall, type KeyedCall } from './parse-sweep.ts'
import { rangeValues } from './range-values.ts'
import { listFunctionText, valueText } from './value-text.ts'

/** The jobs of a sweep: each is made when it is asked for, so that there may be any number of them. */
export interface SweepPlan extends Iterable<readonly string[]> {
  /** How many jobs there are before any is left out; Infinity beyond what a number can hold. */
  readonly combinations: number
}

export interface PlanOptions {
  /** What a glob chooses from. */
  readonly repository: Pick<Repository, 'options'>
  /** Order of what is shuffled. */
  readonly random: Random
  /** Leaves jobs out: called with the text of each key's value. Default: keeps all. */
  readonly filter?: ((job: ReadonlyMap<string, string>) => boolean) | undefined
}

/** Keys that change together, and their values: one row for each step. */
interface Axis {
  readonly keys: readonly string[]
  readonly rows: readonly (readonly Choice[])[]
}

interface Choice {
  /** As it is written behind `=`. */
  readonly text: string
  /** The same for equal values, however they are written: a quoted string is a string. */
  readonly identity: string
}

/** A job is left out where each of its keys has one of the identities. */
type Exclusion = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Plans the cartesian product of the entries, the last one fastest. A later entry of one key takes the place of the
 * first; zipped keys are one entry.
 * @throws {HydraConfigError} `SWEEP` for what cannot be enumerated, or is swept twice
 */
export function planJobs(entries: readonly (Override | KeyedCall)[], options: PlanOptions): SweepPlan {
  const axes = new Map<string, Axis>()
  const exclusions: Exclusion[] = []
  for (const entry of entries) {
    if (!isKeyedCall(entry)) {
      const key = keyText(entry)
      axes.set(key, { keys: [key], rows: choicesOf(entry, options).map((choice) => [choice]) })
    } else if (entry.name === 'zip') axes.set(entry.text, zipped(entry))
    else exclusions.push(exclusionOf(entry))
  }
  const planned = [...axes.values()]
  ensureOnce(planned, exclusions)
  return {
    combinations: planned.reduce((product, { rows }) => product * rows.length, 1),
    *[Symbol.iterator]() {
      for (const chosen of cartesian(planned)) {
        if (exclusions.some((exclusion) => isExcluded(chosen, exclusion))) continue
        if (options.filter?.(new Map(chosen.map(([key, { text }]) => [key, text]))) === false) continue
        yield chosen.map(([key, { text }]) => `${key}=${text}`)
      }
    },
  }
}

type Chosen = readonly (readonly [key: string, choice: Choice])[]

function* cartesian(axes: readonly Axis[]): Generator<Chosen> {
  if (axes.some(({ rows }) => rows.length === 0)) return
  const steps = axes.map(() => 0)
  for (;;) {
    yield axes.flatMap(({ keys, rows }, at) => {
      const row = rows[steps[at] ?? 0] ?? []
      return row.map((choice, of) => [keys[of] ?? '', choice] as const)
    })
    let at = axes.length - 1
    while (at >= 0 && (steps[at] ?? 0) + 1 === axes[at]?.rows.length) steps[at--] = 0
    if (at < 0) return
    steps[at] = (steps[at] ?? 0) + 1
  }
}

function zipped({ parts }: KeyedCall): Axis {
  const [first, ...others] = parts.map(({ values }) => values.map(choiceOf))
  return {
    keys: parts.map(({ key }) => key),
    rows: (first ?? []).map((choice, at) => [choice, ...others.flatMap((column) => column[at] ?? [])]),
  }
}

function exclusionOf({ parts }: KeyedCall): Exclusion {
  return new Map(
    parts.map(({ key, values }) => [key, new Set(values.map((value) => choiceOf(value).identity))]),
  )
}

function isExcluded(chosen: Chosen, exclusion: Exclusion): boolean {
  let left = exclusion.size
  for (const [key, { identity }] of chosen) if (exclusion.get(key)?.has(identity) === true) left--
  return left === 0
}

function choiceOf(value: Element): Choice {
  const text = valueText(value)
  if (typeof value === 'string') return { text, identity: `'${value}` }
  const quoted = typeof value === 'object' && value !== null && !isList(value) && value.kind === 'quoted'
  return { text, identity: quoted ? `'${value.text}` : text }
}

function ensureOnce(axes: readonly Axis[], exclusions: readonly Exclusion[]): void {
  const swept = new Set<string>()
  for (const key of axes.flatMap(({ keys }) => keys)) {
    if (swept.has(key)) refuse(`'${key}' is swept over twice, once of them in a zip`)
    swept.add(key)
  }
  for (const key of exclusions.flatMap((exclusion) => [...exclusion.keys()])) {
    if (!swept.has(key)) refuse(`exclude names '${key}', which is not swept over`)
  }
}

function choicesOf({ value, key, edit }: Override, { repository, random }: PlanOptions): readonly Choice[] {
  if (edit !== undefined) return [{ text: listFunctionText(edit), identity: listFunctionText(edit) }]
  if (isList(value) || !isSwept(value)) return [choiceOf(value)]
  switch (value.kind) {
    case 'interval':
      return refuse('BasicSweeper does not support sweep type : INTERVAL_SWEEP')
    case 'glob':
      return globbed(repository.options(key), patterns(value.include), patterns(value.exclude)).map(
        (name) => ({
          text: name,
          identity: `'${name}`,
        }),
      )
    case 'choice':
    case 'range':
    default: {
      const list = value.kind === 'choice' ? value.list : rangeValues(value)
      return (value.shuffle ? shuffled(list, random) : list).map(choiceOf)
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

function refuse(message: string, ofClass = 'HydraException'): never {
  throw new HydraConfigError('SWEEP', message, { class: ofClass })
}
