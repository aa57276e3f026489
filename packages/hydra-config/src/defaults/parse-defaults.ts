import { HydraConfigError, placed, placedError } from '../errors.ts'
import { pythonString } from '../value/python-string.ts'
import { pythonType } from '../value/python-type.ts'
import type { MapKey, Value } from '../value/value.ts'
import { configDefault, type DefaultItem, type GroupDefault, groupDefault } from './default-item.ts'

/** How the items of defaults lists are read. */
export interface ItemRules {
  /** The class of the error for a defaults list that is none. */
  readonly notList: string
  /** @throws {HydraConfigError} `INVALID_DEFAULTS` */
  keywords(path: string, text: string): Keyworded
  /** A group and its option, put as they are looked up. */
  option(group: string, value: GroupDefault['value']): { group: string; value: GroupDefault['value'] }
}

/** What stands before the colon of an item. */
export interface Keyworded {
  readonly group: string
  readonly optional: boolean
  readonly override: boolean
}

/**
 * Reads a defaults list.
 * @param path of the config, for messages
 * @throws {HydraConfigError} `INVALID_DEFAULTS`
 */
export function parseDefaults(path: string, value: Value, rules: ItemRules): DefaultItem[] {
  if (value.kind !== 'list') {
    return placed(value, () =>
      refuse(
        `Invalid defaults list in '${path}', defaults must be a list (got ${value.kind === 'map' ? 'mapping' : pythonType(value)})`,
        rules.notList,
      ),
    )
  }
  return value.items.map((item) => parsePlaced(path, item, rules))
}

function parsePlaced(path: string, item: Value, rules: ItemRules): DefaultItem {
  try {
    return parseItem(path, item, rules)
  } catch (error) {
    throw placedError(error, item)
  }
}

function parseItem(path: string, item: Value, rules: ItemRules): DefaultItem {
  if (item.kind === 'scalar' && typeof item.value === 'string') {
    const { group, ofPackage } = splitPackage(item.value)
    if (group === '_self_' && ofPackage !== undefined) {
      return refuse('_self_@PACKAGE is not supported')
    }
    return configDefault(group, { package: ofPackage, chosenBy: item.origin })
  }
  if (item.kind !== 'map') {
    return refuse(`Unsupported type in defaults : ${item.kind === 'list' ? 'ListConfig' : pythonType(item)}`)
  }
  if (item.entries.size > 1) {
    return refuse(`In ${path}: Too many keys in default item ${pythonString(item)}`)
  }
  for (const [key, value] of item.entries) return parseGroup(path, key, value, rules)
  return refuse(`In ${path}: Missing group name in {}`)
}

function parseGroup(path: string, key: MapKey, value: Value, rules: ItemRules): GroupDefault {
  if (typeof key !== 'string') {
    return refuseItem(
      path,
      `has the key ${String(key)} in its defaults, which is no string`,
      'AssertionError',
    )
  }
  const { group: worded, ofPackage } = splitPackage(key)
  const { group: named, optional, override } = rules.keywords(path, worded)
  const { group, value: chosen } = rules.option(named, parseChoice(value))
  return groupDefault(group, chosen, { package: ofPackage, chosenBy: value.origin, optional, override })
}

/** Those of Hydra 1.3, which stops reading at a word that it does not know. */
export const hydraItems: ItemRules = {
  notList: 'ValueError',
  keywords: keywordsOf,
  option: (group, value) => ({ group, value }),
}

function keywordsOf(path: string, text: string): Keyworded {
  if (text !== '' && !text.includes(' ')) return { group: text, optional: false, override: false }
  const words = text.split(' ')
  const group = words.pop() ?? ''
  if (group === '')
    return refuseItem(path, `has no group in ${JSON.stringify(text)} of its defaults`, 'AssertionError')
  const unknown = words.findIndex((word) => word !== 'optional' && word !== 'override')
  const known = unknown === -1 ? words : words.slice(0, unknown)
  return { group, optional: known.includes('optional'), override: known.includes('override') }
}

function parseChoice(value: Value): GroupDefault['value'] {
  if (value.kind === 'scalar' && (value.value === null || typeof value.value === 'string')) return value.value
  if (value.kind !== 'list') {
    return refuse(`Unsupported item value in defaults : ${pythonType(value)}. Supported: string or list`)
  }
  return value.items.map((item) =>
    item.kind === 'scalar' && typeof item.value === 'string'
      ? item.value
      : refuse(`Unsupported item value in defaults : ${pythonType(item)}, nested list items must be strings`),
  )
}

/** `group@package`; of the old `group@a:b` only `a` counts. */
function splitPackage(text: string): { group: string; ofPackage: string | undefined } {
  const at = text.indexOf('@')
  if (at === -1) return { group: text, ofPackage: undefined }
  const renamed = text.slice(at + 1)
  const colon = renamed.indexOf(':')
  return { group: text.slice(0, at), ofPackage: colon === -1 ? renamed : renamed.slice(0, colon) }
}

/** @throws {HydraConfigError} `INVALID_DEFAULTS`, always */
export function refuseItem(path: string, what: string, ofClass?: string): never {
  return refuse(`${path} ${what}`, ofClass)
}

function refuse(message: string, ofClass: string = 'ValueError'): never {
  throw new HydraConfigError('INVALID_DEFAULTS', message, { class: ofClass })
}
