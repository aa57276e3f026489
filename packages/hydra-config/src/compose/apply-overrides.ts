import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { select } from '../interpolation/resolve-all.ts'
import { editedList, type ListEdit } from '../merge/list-edit.ts'
import { merge } from '../merge/merge.ts'
import { type Element, isList, isSwept, type ListFunction, type Override } from '../override/override.ts'
import { overrideOrigin, placesOf } from '../override/places.ts'
import { pythonEqual } from '../override/python-order.ts'
import type { Semantics } from '../semantics.ts'
import { removed } from '../structured/remove.ts'
import { update } from '../structured/update.ts'
import { suggestion } from '../suggest.ts'
import { shownText } from '../value/secret.ts'
import { map, type Value } from '../value/value.ts'
import { valueAt } from '../value/value-path.ts'
import { elementOf, valueOf } from './element-value.ts'
import { followed } from './followed.ts'
import { childOf, withChild, withoutChild, withoutItem } from './path-edit.ts'

/** An override of a value and its place among all overrides, from 0. */
export interface PlacedOverride {
  readonly override: Override
  readonly index: number
}

/** What an override is applied by. */
export interface OverrideContext {
  readonly semantics: Semantics
  /** The config groups, one of which a key that is not there may mean. */
  readonly groups: () => Iterable<string>
  /** For interpolations on the way to the key. */
  readonly resolve: ResolveOptions
}

/**
 * The value of an override, each part of it with its place in the text; undefined for a deletion.
 * @throws {HydraConfigError} `COMPOSITION` for a value that no configuration holds
 */
export function overrideValue({ override, index }: PlacedOverride): Value | undefined {
  const { key, text, type, value, package: ofPackage } = override
  if (ofPackage !== undefined) {
    refuse(`Override ${text} looks like a config group override, but config group '${key}' does not exist.`)
  }
  if (type === 'DEL') return undefined
  if (holdsSweep(value)) refuse(`'${text}' has a sweep inside a value`)
  return valueOf(value, overrideOrigin(override, index), placesOf(text))
}

/**
 * Applies an override to a composed configuration.
 * @param value of the override, as {@link overrideValue} makes it
 * @throws {HydraConfigError} `COMPOSITION`
 */
export function applyOverride(
  root: Value,
  { override }: PlacedOverride,
  value: Value | undefined,
  context: OverrideContext,
): Value {
  const { key, text, type } = override
  const steps = key.split('.')
  try {
    if (value === undefined) return deleted(root, steps, override, context)
    if (type === 'ADD' && isThere(select(root, key, context.resolve)) && value.kind === 'scalar') {
      refuse(
        `Could not append to config. An item is already at '${key}'.\n` +
          `Either remove + prefix: '${text.slice(1)}'\n` +
          `Or add a second + to add or override '${key}': '+${text}'\n`,
      )
    }
    if (isLocked(root)) return updatedTyped(root, value, override, context)
    if (context.semantics === 'hydra-1.3') return updated(root, steps, value, override, context)
    const way = followed(root, steps)
    if (way === undefined) refuse(`'${key}' is below a value that a resolver makes`)
    if (override.edit === undefined) return updated(root, way, value, override, context)
    return withListEdit(root, way, listEditOf(override.edit, value), override, context)
  } catch (cause) {
    if (!isHydraConfigError(cause) || !isOfOmegaConf(cause.class)) throw cause
    return refuse(`Error merging override ${text}`, cause)
  }
}

/** A configuration with types is locked before its overrides, and changed as OmegaConf changes it. */
function isLocked({ typing }: Value): boolean {
  return typing?.flags?.struct === true
}

function updatedTyped(
  root: Value,
  value: Value,
  override: Override,
  { semantics, resolve }: OverrideContext,
): Value {
  const { key, text, type, edit } = override
  const forceAdd = type !== 'CHANGE'
  try {
    if (semantics !== 'strict' || edit === undefined)
      return update(root, key, value, { ...resolve, forceAdd })
    const there = valueAt(root, followed(root, key.split('.')) ?? [])
    if (there?.kind !== 'list') return refuse(`could not apply the override '${text}': '${key}' is no list`)
    return update(root, key, editedList(there, [listEditOf(edit, value)]), { ...resolve, merge: false })
  } catch (cause) {
    const isUnknown = isHydraConfigError(cause) && /^Config(?:Attribute|Key)Error$/.test(cause.class ?? '')
    if (!isUnknown || forceAdd) throw cause
    return refuse(`Could not override '${key}'.\nTo append to your config use +${text}`, cause)
  }
}

/** Where every container on the way is made anew, and a scalar on the way becomes an empty mapping. */
function updated(
  container: Value,
  [step = '', ...rest]: readonly string[],
  value: Value,
  override: Override,
  context: OverrideContext,
): Value {
  const child = childOf(container, step, rest.length === 0 ? 'ValueError' : 'TypeError')
  const mayAdd = override.type !== 'CHANGE'
  if (child === undefined && !mayAdd && container.kind === 'map') {
    refuseUnknown(override, container, step, context)
  }
  if (rest.length > 0) {
    const next = child === undefined || child.kind === 'scalar' ? map([]) : child
    return withChild(container, step, updated(next, rest, value, override, context))
  }
  if (child === undefined || child.kind === 'scalar' || value.kind === 'scalar') {
    return withChild(container, step, value)
  }
  if (!mayAdd) ensureKnownKeys(child, value, override, context)
  return withChild(container, step, merge(child, value, { listEdits: context.semantics === 'strict' }))
}

/** What `append(…)` and its like make of the list at the end of the way. */
function withListEdit(
  container: Value,
  [step = '', ...rest]: readonly string[],
  edit: ListEdit,
  override: Override,
  context: OverrideContext,
): Value {
  const child = childOf(container, step)
  if (child === undefined) return refuseUnknown(override, container, step, context)
  if (rest.length > 0) return withChild(container, step, withListEdit(child, rest, edit, override, context))
  if (child.kind === 'list') return withChild(container, step, editedList(child, [edit]))
  const found = child.kind === 'map' ? 'a mapping' : 'a scalar'
  return refuse(`could not apply the override '${override.text}': '${override.key}' is no list but ${found}`)
}

function listEditOf({ name, index }: ListFunction, value: Value): ListEdit {
  const items = value.kind === 'list' ? value.items : []
  if (name === 'insert') return { kind: name, index, items }
  if (name === 'pop') return { kind: name, index }
  return name === 'clear' ? { kind: name } : { kind: name, items }
}

/** The root is locked: a mapping brings no key that is not there. */
function ensureKnownKeys(dest: Value, value: Value, override: Override, context: OverrideContext): void {
  if (dest.kind !== 'map' || value.kind !== 'map') return
  for (const [key, item] of value.entries) {
    const known = dest.entries.get(key)
    if (known === undefined) refuseUnknown(override, dest, String(key), context)
    ensureKnownKeys(known, item, override, context)
  }
}

function deleted(
  root: Value,
  steps: readonly string[],
  override: Override,
  { semantics, resolve }: OverrideContext,
): Value {
  const { key, value, hasValue } = override
  const strict = semantics === 'strict'
  const way = followed(root, steps)
  const raw = way && way.reduce<Value | undefined>((at, step) => at && thereIn(at, step), root)
  const found = strict && raw !== undefined && !isThere(raw) ? raw : select(root, key, resolve)
  if (found === undefined || (!strict && !isThere(found))) {
    return refuse(`Could not delete from config. '${key}' does not exist.`)
  }
  if (hasValue && (strict || value !== null) && !pythonEqual(plain(value), elementOf(found))) {
    const [has, wanted] = [found, valueOf(value)].map((each) =>
      shownText(resolve?.secretPaths?.mark(each, steps) ?? each),
    )
    refuse(`Could not delete from config. The value of '${key}' is ${has} and not ${wanted}.`)
  }
  // What a resolver makes is made anew by the next one who asks: nothing of it can be taken away for good.
  if (way === undefined) return root
  return isLocked(root) ? removed(root, steps, resolve) : without(root, way, strict)
}

function without(container: Value, [step = '', ...rest]: readonly string[], strict: boolean): Value {
  const child = childOf(container, step)
  if (rest.length > 0 && child !== undefined) {
    return withChild(container, step, without(child, rest, strict))
  }
  if (container.kind === 'map') return withoutChild(container, step)
  if (strict && container.kind === 'list') return withoutItem(container, step)
  throw new HydraConfigError('COMPOSITION', `an item of a list cannot be deleted`, { class: 'TypeError' })
}

function thereIn(container: Value, step: string): Value | undefined {
  if (container.kind === 'list' && !/^[0-9]+$/.test(step)) return undefined
  return childOf(container, step)
}

function isThere(value: Value | undefined): value is Value {
  return value !== undefined && !(value.kind === 'scalar' && (value.value === null || value.value === '???'))
}

/** Without quotes, as it is compared. */
function plain(value: Element): Element {
  return elementOf(valueOf(value))
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

function refuseUnknown(
  { key, text }: Override,
  container: Value,
  step: string,
  { groups }: OverrideContext,
): never {
  const keys = container.kind === 'map' ? container.entries.keys().map(String) : []
  const candidates = key === step ? [...keys, ...groups()] : keys
  const unknown = new HydraConfigError('COMPOSITION', `Key '${step}' is not in struct`, {
    class: 'ConfigKeyError',
  })
  const advice = `To append to your config use +${text}${suggestion(step, candidates)}`
  refuse(`Could not override '${key}'.\n${advice}`, unknown)
}

function refuse(message: string, cause?: unknown): never {
  throw new HydraConfigError('COMPOSITION', message, {
    class: 'ConfigCompositionException',
    ...(cause === undefined ? {} : { cause }),
  })
}
