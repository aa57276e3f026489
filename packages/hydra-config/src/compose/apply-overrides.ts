import type { StrictRules } from '../defaults/strict-rules.ts'
import { HydraConfigError, isHydraConfigError, remade } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { Resolution } from '../interpolation/resolve.ts'
import { selectedPlace } from '../interpolation/resolve-all.ts'
import { mergeOf } from '../merge/merge.ts'
import { type Element, isList, isSwept, type Override } from '../override/override.ts'
import { overrideOrigin, placesOf } from '../override/places.ts'
import type { FunctionGrammar } from '../override/syntax.ts'
import type { OwnCopies } from '../value/own-copies.ts'
import { Place } from '../value/place.ts'
import { shownText } from '../value/secret.ts'
import type { ChangeOptions, TypeRules } from '../value/typing.ts'
import { type CopyEntries, map, type Value } from '../value/value.ts'
import { valueOf } from './element-value.ts'
import { equalsWanted } from './equals-wanted.ts'
import { followed } from './followed.ts'
import type { HydraRules } from './hydra-rules.ts'
import { childOf, withChild, withoutChild, withoutItem } from './path-edit.ts'
import { refuse } from './refuse.ts'
import { typeLines } from './type-lines.ts'
import { fullKeyOf, typesAt } from './types-at.ts'

/** An override of a value and its place among all overrides, from 0. */
export interface PlacedOverride {
  readonly override: Override
  readonly index: number
}

/** What an override is applied by. */
export interface OverrideContext {
  readonly strict: StrictRules | undefined
  readonly hydra: HydraRules | undefined
  /** The config groups, one of which a key that is not there may mean. */
  readonly groups: () => Iterable<string>
  /** The functions that values may call. */
  readonly functions: FunctionGrammar | undefined
  /** How the entries of a map are copied. Default: one by one. */
  readonly copy: CopyEntries | undefined
  /** For interpolations on the way to the key. */
  readonly resolve: ResolveOptions
}

interface Applying extends OverrideContext, ChangeOptions {
  readonly root: Value
  /** Made when the first asks: few overrides meet an interpolation. */
  readonly resolving: () => Resolution
  readonly copies: OwnCopies
}

/**
 * The value of an override, each part of it with its place in the text; undefined for a deletion.
 * @throws {HydraConfigError} `COMPOSITION` for a value that no configuration holds
 */
export function overrideValue(
  { override, index }: PlacedOverride,
  functions: FunctionGrammar | undefined,
): Value | undefined {
  const { key, text, type, value, package: ofPackage } = override
  if (ofPackage !== undefined) {
    refuse(`Override ${text} looks like a config group override, but config group '${key}' does not exist.`)
  }
  if (type === 'DEL') return undefined
  if (holdsSweep(value)) refuse(`'${text}' has a sweep inside a value`)
  return valueOf(value, overrideOrigin(override, index), placesOf(text, functions))
}

/**
 * Applies an override to a composed configuration.
 * @param value of the override, as {@link overrideValue} makes it
 * @param copies what of `root` nobody else holds, and is changed itself
 * @throws {HydraConfigError} `COMPOSITION`
 */
export function applyOverride(
  root: Value,
  { override }: PlacedOverride,
  value: Value | undefined,
  given: OverrideContext,
  copies: OwnCopies,
): Value {
  const { key, text, type } = override
  const steps = key.split('.')
  let made: Resolution | undefined
  const resolving = () => (made ??= new Resolution(given.resolve))
  const context = {
    ...given,
    root,
    copies,
    resolving,
    resolution: { dereference: (place: Place) => resolving().dereference(place) },
  }
  try {
    if (value === undefined) return deleted(root, steps, override, context)
    const added = type === 'ADD' ? selectedPlace(root, key, resolving()) : undefined
    if (added !== undefined && value.kind === 'scalar') {
      refuse(
        `Could not append to config. An item is already at '${key}'.\n` +
          `Either remove + prefix: '${text.slice(1)}'\n` +
          `Or add a second + to add or override '${key}': '+${text}'\n`,
      )
    }
    const rules = rulesOf(root)
    if (rules !== undefined) return rules.override(root, value, override, context)
    if (context.strict === undefined) return updated(root, steps, value, override, context)
    const way = followed(root, steps, context)
    if (way === undefined) refuse(`'${key}' is below a value that a resolver makes`)
    return updated(root, way, value, override, context)
  } catch (cause) {
    if (!isHydraConfigError(cause)) throw cause
    const within = cause.cause
    if (isHydraConfigError(within) && isOfOmegaConf(within.class)) {
      refuse(cause.problem, undefined, withTypeLines(within, steps, override, context))
    }
    if (!isOfOmegaConf(cause.class)) throw cause
    return refuse(`Error merging override ${text}`, undefined, withTypeLines(cause, steps, override, context))
  }
}

/** A configuration with types is locked before its overrides, and changed as OmegaConf changes it. */
function rulesOf({ typing }: Value): TypeRules | undefined {
  return typing?.flags?.struct === true ? typing.rules : undefined
}

/** Where every container on the way is made anew, and a scalar on the way becomes an empty mapping. */
function updated(
  container: Value,
  [step = '', ...rest]: readonly string[],
  value: Value,
  override: Override,
  context: Applying,
): Value {
  const child = childOf(container, step, rest.length === 0 ? 'ValueError' : 'TypeError')
  if (child === undefined && override.type === 'CHANGE' && container.kind === 'map') {
    refuseUnknown(override, container, stepsBefore(override, rest.length), context)
  }
  if (rest.length === 0)
    return withChild(container, step, changed(child, value, override, context), context.copies)
  const next = child === undefined || child.kind === 'scalar' ? map([]) : child
  return withChild(container, step, updated(next, rest, value, override, context), context.copies)
}

/** What an override makes of what stands at its key. */
function changed(child: Value | undefined, value: Value, override: Override, context: Applying): Value {
  const { strict, copies } = context
  const { edit, type } = override
  const editing = strict?.lists
  if (edit !== undefined && editing !== undefined) return editing.byOverride(child, edit, value, override)
  if (child === undefined || child.kind === 'scalar' || value.kind === 'scalar') return value
  if (type === 'CHANGE') ensureKnownKeys(child, value, override, stepsBefore(override, 0), context)
  return mergeOf(child, value, { editing, copies }).merged
}

/** The root is locked: a mapping brings no key that is not there. */
function ensureKnownKeys(
  dest: Value,
  value: Value,
  override: Override,
  steps: readonly string[],
  context: Applying,
): void {
  if (dest.kind !== 'map' || value.kind !== 'map') return
  for (const [key, item] of value.entries) {
    const known = dest.entries.get(key)
    const below = [...steps, String(key)]
    if (known === undefined) refuseUnknown(override, dest, below, context)
    ensureKnownKeys(known, item, override, below, context)
  }
}

function deleted(root: Value, steps: readonly string[], override: Override, context: Applying): Value {
  const { strict: rules, resolve, resolving, copies } = context
  const { key, value, hasValue } = override
  const strict = rules !== undefined
  const way = followed(root, steps, context)
  const raw = way && way.reduce<Value | undefined>((at, step) => at && thereIn(at, step), root)
  const found = strict && isEmpty(raw) ? new Place(raw) : selectedPlace(root, key, resolving())
  if (found === undefined) refuse(`Could not delete from config. '${key}' does not exist.`)
  const wanted = valueOf(value)
  if (hasValue && (strict || value !== null) && !equalsWanted(found, wanted, resolving())) {
    const [has, given] = [found.value, wanted].map((each) =>
      shownText(resolve.secretPaths?.mark(each, steps) ?? each),
    )
    refuse(`Could not delete from config. The value of '${key}' is ${has} and not ${given}.`)
  }
  // What a resolver makes is made anew by the next one who asks: nothing of it can be taken away for good.
  if (way === undefined) return root
  return rulesOf(root)?.remove(root, steps, context) ?? without(root, way, strict, copies)
}

function without(
  container: Value,
  [step = '', ...rest]: readonly string[],
  strict: boolean,
  copies: OwnCopies,
): Value {
  const child = childOf(container, step)
  if (rest.length > 0 && child !== undefined) {
    return withChild(container, step, without(child, rest, strict, copies), copies)
  }
  if (container.kind === 'map') return withoutChild(container, step, copies)
  if (strict && container.kind === 'list') return withoutItem(container, step)
  return refuse('an item of a list cannot be deleted', 'TypeError')
}

function thereIn(container: Value, step: string): Value | undefined {
  if (container.kind === 'list' && !/^[0-9]+$/.test(step)) return undefined
  return childOf(container, step)
}

function isEmpty(value: Value | undefined): value is Value {
  return value?.kind === 'scalar' && (value.value === null || value.value === '???')
}

function holdsSweep(value: Element): boolean {
  if (isList(value)) return value.some(holdsSweep)
  if (isSwept(value)) return true
  return typeof value === 'object' && value !== null && value.kind === 'dict'
    ? value.pairs.some(([, item]) => holdsSweep(item))
    : false
}

/** The exceptions of OmegaConf, which Hydra reports as its own. */
function isOfOmegaConf(ofClass: string | undefined): boolean {
  return (
    ofClass !== undefined &&
    ofClass !== 'ConfigCompositionException' &&
    /^(?:Config|Interpolation|Grammar|Missing|Key|Unsupported|Validation|Readonly)/.test(ofClass)
  )
}

/** The steps of the key without the last ones of them. */
function stepsBefore({ key }: Override, left: number): readonly string[] {
  const steps = key.split('.')
  return steps.slice(0, steps.length - left)
}

/** @param steps of the key that is not there */
function refuseUnknown(
  { key, text }: Override,
  container: Value,
  steps: readonly string[],
  { root, strict, hydra, groups }: Applying,
): never {
  const step = steps.at(-1) ?? ''
  const types = typesAt(root, steps.slice(0, -1), hydra)
  const what = types.object === 'dict' ? 'is not in struct' : `not in '${types.object}'`
  const lines = typeLines(fullKeyOf(root, steps), types)
  const unknown = new HydraConfigError('COMPOSITION', `Key '${step}' ${what}${lines}`, {
    class: 'ConfigKeyError',
  })
  const keys = container.kind === 'map' ? container.entries.keys().map(String) : []
  const candidates = key === step ? [...keys, ...groups()] : keys
  const advice = strict?.suggestion(step, candidates) ?? ''
  refuse(`Could not override '${key}'.\nTo append to your config use +${text}${advice}`, undefined, unknown)
}

/** OmegaConf's exception about an override, with the lines that it has there. */
function withTypeLines(
  error: HydraConfigError,
  steps: readonly string[],
  { type }: Override,
  { root, hydra }: Applying,
): HydraConfigError {
  const { code, problem } = error
  if (problem.includes('\n    object_type=')) return error
  // A deletion is refused by the map around the key.
  const isMerge = code === 'MERGE' && type !== 'DEL'
  const types = typesAt(root, isMerge ? steps : steps.slice(0, -1), hydra)
  return remade(error, { problem: problem + typeLines(fullKeyOf(root, steps), types) })
}
