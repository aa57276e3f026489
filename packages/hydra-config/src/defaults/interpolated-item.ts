import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import { select } from '../interpolation/resolve-all.ts'
import { list, map, scalar, type Value } from '../value/value.ts'
import { configPath, type DefaultItem, isSelf, overrideKey } from './default-item.ts'
import { normalizedOption } from './strict-paths.ts'

/** Whether the option (of a config: its path) is told by an interpolation. */
export function isInterpolated(item: DefaultItem): boolean {
  const text = item.kind === 'config' ? configPath(item) : item.value
  return typeof text === 'string' && text.includes('${')
}

// As Hydra 1.4 knows it: anywhere, and of any number.
const legacy = /\$\{defaults\.\d+\./

const unresolved: ReadonlySet<string | undefined> = new Set([
  'InterpolationKeyError',
  'InterpolationResolutionError',
  'InterpolationToMissingValueError',
])

/**
 * Gives the item the option that its interpolation names, out of the choices known so far (`${db}`) and the items of
 * its own list (`${defaults.0.db}`).
 *
 * @throws {HydraConfigError} `COMPOSITION` where the interpolation reads what is not there
 */
export function resolveItem(
  item: DefaultItem,
  known: ReadonlyMap<string, string | null>,
  items: readonly DefaultItem[],
  selfAdded: boolean,
): void {
  const text = item.kind === 'config' ? configPath(item) : String(item.value)
  if (item.kind === 'group' && /^\$\{defaults\.\d\./.test(text)) refuseLegacy(item, text)
  const resolved = read(text, known, items, selfAdded)
  if (resolved?.kind !== 'scalar' || typeof resolved.value !== 'string') {
    refuse(`the interpolation '${text}' of a defaults list names no option`, 'AssertionError')
  }
  if (item.kind === 'config') item.path = resolved.value
  else item.value = resolved.value
}

/**
 * As {@link resolveItem} by the rules of Hydra 1.4: `${group}` alone, of any choice that is known; whether it is.
 * @throws {HydraConfigError} `COMPOSITION` for the form before Hydra 1.1
 */
export function tryResolveItem(item: DefaultItem, known: ReadonlyMap<string, string | null>): boolean {
  const text = item.kind === 'config' ? item.path : String(item.value)
  if (item.kind === 'group' && legacy.test(text)) refuseLegacy(item, text)
  const resolved = text.replace(/\$\{([^{}]*)\}/g, (whole, key: string) => known.get(key.trim()) ?? whole)
  if (resolved.includes('${')) return false
  if (item.kind === 'config') {
    item.path = resolved
    return true
  }
  const { group, value } = normalizedOption(item.group, resolved)
  item.group = group
  item.value = value
  return true
}

/** @throws {HydraConfigError} `COMPOSITION`, always */
export function refuseUnresolved(item: DefaultItem, known: ReadonlyMap<string, string | null>): never {
  const text = item.kind === 'config' ? item.path : String(item.value)
  return refuse(`Error resolving interpolation '${text}'${readable(known)}`)
}

function readable(known: ReadonlyMap<string, string | null>): string {
  const keys = [...known.keys()].join(', ')
  return keys === '' ? '' : `, possible interpolation keys: ${keys}`
}

function read(
  text: string,
  known: ReadonlyMap<string, string | null>,
  items: readonly DefaultItem[],
  selfAdded: boolean,
): Value | undefined {
  const defaults = items
    .filter((item) => !(selfAdded && isSelf(item)))
    .map((item) =>
      item.kind === 'config'
        ? scalar(configPath(item))
        : map([
            [overrideKey(item), typeof item.value === 'object' ? optionsOf(item.value) : scalar(item.value)],
          ]),
    )
  const entries: [string, Value][] = [...known].map(([key, name]) => [key, scalar(name)])
  try {
    return select(map([...entries, ['defaults', list(defaults)], ['_option_', scalar(text)]]), '_option_')
  } catch (cause) {
    if (!isHydraConfigError(cause) || !unresolved.has(cause.class)) throw cause
    return refuse(`Error resolving interpolation '${text}'${readable(known)}`, undefined, cause)
  }
}

function refuseLegacy(item: DefaultItem, text: string): never {
  refuse(
    `'${overrideKey(item)}: ${text}' is an interpolation of the form before Hydra 1.1; use \${group} instead`,
  )
}

function optionsOf(options: readonly string[] | null): Value {
  return options === null ? scalar(null) : list(options.map((option) => scalar(option)))
}

function refuse(message: string, ofClass = 'ConfigCompositionException', cause?: unknown): never {
  throw new HydraConfigError('COMPOSITION', message, {
    class: ofClass,
    ...(cause === undefined ? {} : { cause }),
  })
}
