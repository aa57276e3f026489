import { refuse } from '../compose/refuse.ts'
import { isHydraConfigError } from '../errors.ts'
import type { ResolutionParts } from '../interpolation/options.ts'
import { Resolution } from '../interpolation/resolve.ts'
import { selectedPlace } from '../interpolation/resolve-all.ts'
import { list, map, scalar, type Value } from '../value/value.ts'
import { addedSelf, configPath, type DefaultItem, overrideKey } from './default-item.ts'

/** Whether the option (of a config: its path) is told by an interpolation. */
export function isInterpolated(item: DefaultItem): boolean {
  const text = item.kind === 'config' ? configPath(item) : item.value
  return typeof text === 'string' && text.includes('${')
}

const legacyPage = 'http://hydra.cc/docs/1.1/upgrades/1.0_to_1.1/defaults_list_interpolation'

const unresolved: ReadonlySet<string | undefined> = new Set([
  'InterpolationKeyError',
  'InterpolationResolutionError',
  'InterpolationToMissingValueError',
  'UnsupportedInterpolationType',
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
  parts: ResolutionParts | undefined,
): void {
  const text = item.kind === 'config' ? configPath(item) : String(item.value)
  if (item.kind === 'group' && /^\$\{defaults\.\d\./.test(text)) refuseLegacy(item, text)
  const resolved = read(text, known, items, parts)
  if (resolved?.kind !== 'scalar' || typeof resolved.value !== 'string') {
    refuse(`the interpolation '${text}' of a defaults list names no option`, 'AssertionError')
  }
  if (item.kind === 'config') item.path = resolved.value
  else item.value = resolved.value
}

/** What an interpolation may read, for a message. */
export function readable(known: ReadonlyMap<string, string | null>): string {
  const keys = [...known.keys()].join(', ')
  return keys === '' ? '' : `, possible interpolation keys: ${keys}`
}

function read(
  text: string,
  known: ReadonlyMap<string, string | null>,
  items: readonly DefaultItem[],
  parts: ResolutionParts | undefined,
): Value | undefined {
  const defaults = items
    .filter((item) => item !== addedSelf)
    .map((item) =>
      item.kind === 'config'
        ? scalar(configPath(item))
        : map([
            [overrideKey(item), typeof item.value === 'object' ? optionsOf(item.value) : scalar(item.value)],
          ]),
    )
  const entries: [string, Value][] = [...known].map(([key, name]) => [key, scalar(name)])
  try {
    const readables = map([...entries, ['defaults', list(defaults)], ['_option_', scalar(text)]])
    return selectedPlace(readables, '_option_', new Resolution({ parts }))?.value
  } catch (cause) {
    if (!isHydraConfigError(cause) || !unresolved.has(cause.class)) throw cause
    return refuse(`Error resolving interpolation '${text}'${readable(known)}`)
  }
}

/** @throws {HydraConfigError} `COMPOSITION`, always */
export function refuseLegacy(item: DefaultItem, text: string): never {
  refuse(
    `\nDefaults list element '${overrideKey(item)}=${text}' is using a deprecated interpolation form.\n` +
      `See ${legacyPage} for migration information.`,
  )
}

function optionsOf(options: readonly string[] | null): Value {
  return options === null ? scalar(null) : list(options.map((option) => scalar(option)))
}
