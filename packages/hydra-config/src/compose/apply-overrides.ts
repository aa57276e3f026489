import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import { select } from '../interpolation/resolve-all.ts'
import { merge } from '../merge/merge.ts'
import { type Element, isList, isSwept, type Override } from '../override/override.ts'
import { overrideOrigin, placesOf } from '../override/places.ts'
import { pythonEqual } from '../override/python-order.ts'
import { map, type Value } from '../value/value.ts'
import { elementOf, valueOf } from './element-value.ts'
import { childOf, withChild, withoutChild } from './path-edit.ts'

/** An override of a value and its place among all overrides, from 0. */
export interface PlacedOverride {
  readonly override: Override
  readonly index: number
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
export function applyOverride(root: Value, { override }: PlacedOverride, value: Value | undefined): Value {
  const { key, text, type } = override
  const steps = key.split('.')
  try {
    if (value === undefined) return deleted(root, steps, override)
    if (type === 'ADD' && value.kind === 'scalar' && isThere(select(root, key))) {
      refuse(
        `could not append to config: there is a value at '${key}' already; use '${text.slice(1)}' to change it, '+${text}' to add or change it`,
      )
    }
    return updated(root, steps, value, type !== 'CHANGE', override)
  } catch (cause) {
    if (!isHydraConfigError(cause) || !isOfOmegaConf(cause.class)) throw cause
    return refuse(`could not apply the override '${text}': ${cause.message}`, cause)
  }
}

/** Where every container on the way is made anew, and a scalar on the way becomes an empty mapping. */
function updated(
  container: Value,
  [step = '', ...rest]: readonly string[],
  value: Value,
  mayAdd: boolean,
  override: Override,
): Value {
  const child = childOf(container, step)
  if (child === undefined && !mayAdd && container.kind === 'map') refuseUnknown(override)
  if (rest.length > 0) {
    const next = child === undefined || child.kind === 'scalar' ? map([]) : child
    return withChild(container, step, updated(next, rest, value, mayAdd, override))
  }
  if (child === undefined || child.kind === 'scalar' || value.kind === 'scalar') {
    return withChild(container, step, value)
  }
  if (!mayAdd) ensureKnownKeys(child, value, override)
  return withChild(container, step, merge(child, value))
}

/** The root is locked: a mapping brings no key that is not there. */
function ensureKnownKeys(dest: Value, value: Value, override: Override): void {
  if (dest.kind !== 'map' || value.kind !== 'map') return
  for (const [key, item] of value.entries) {
    const known = dest.entries.get(key)
    if (known === undefined) refuseUnknown(override)
    ensureKnownKeys(known, item, override)
  }
}

function deleted(root: Value, steps: readonly string[], { key, value, hasValue, text }: Override): Value {
  const found = select(root, key)
  if (!isThere(found)) refuse(`could not delete from config: there is no '${key}'`)
  if (hasValue && value !== null && !pythonEqual(plain(value), elementOf(found))) {
    refuse(`could not delete from config: the value of '${key}' is not that of '${text}'`)
  }
  return without(root, steps)
}

function without(container: Value, [step = '', ...rest]: readonly string[]): Value {
  const child = childOf(container, step)
  if (rest.length > 0 && child !== undefined) return withChild(container, step, without(child, rest))
  if (container.kind === 'map') return withoutChild(container, step)
  throw new HydraConfigError('COMPOSITION', `an item of a list cannot be deleted`, { class: 'TypeError' })
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
    /^(?:Config|Interpolation|Grammar|Missing|Key|Unsupported|Validation|Readonly)/.test(ofClass)
  )
}

function refuseUnknown({ key, text }: Override): never {
  refuse(`could not override '${key}': there is no such key; to append it to the config use +${text}`)
}

function refuse(message: string, cause?: unknown): never {
  throw new HydraConfigError('COMPOSITION', message, {
    class: 'ConfigCompositionException',
    ...(cause === undefined ? {} : { cause }),
  })
}
