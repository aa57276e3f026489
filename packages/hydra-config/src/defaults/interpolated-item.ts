import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import { select } from '../interpolation/resolve-all.ts'
import { list, map, scalar, type Value } from '../value/value.ts'
import { configPath, type DefaultItem, isSelf, overrideKey } from './default-item.ts'

/** Whether the option (of a config: its path) is told by an interpolation. */
export function isInterpolated(item: DefaultItem): boolean {
  const text = item.kind === 'config' ? configPath(item) : item.value
  return typeof text === 'string' && text.includes('${')
}

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
  if (item.kind === 'group' && /^\$\{defaults\.\d\./.test(text)) {
    refuse(
      `'${overrideKey(item)}: ${text}' is an interpolation of the form before Hydra 1.1; use \${group} instead`,
    )
  }
  const resolved = read(text, known, items, selfAdded)
  if (resolved?.kind !== 'scalar' || typeof resolved.value !== 'string') {
    refuse(`the interpolation '${text}' of a defaults list names no option`, 'AssertionError')
  }
  if (item.kind === 'config') item.path = resolved.value
  else item.value = resolved.value
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
    const keys = known.size === 0 ? '' : `; it can read ${[...known.keys()].join(', ')}`
    return refuse(`cannot resolve the interpolation '${text}' of a defaults list${keys}`, undefined, cause)
  }
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
