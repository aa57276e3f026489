import { HydraConfigError, placed } from '../errors.ts'
import type { Semantics } from '../semantics.ts'
import { suggestion } from '../suggest.ts'
import type { Scalar, Value } from '../value/value.ts'
import { configDefault, copyOf, type DefaultItem, type GroupDefault, groupDefault } from './default-item.ts'
import { normalizedOption } from './strict-paths.ts'

/**
 * Reads a defaults list; what it returns makes its items anew each time.
 * @param path of the config, for messages
 * @throws {HydraConfigError} `INVALID_DEFAULTS`
 */
export function parseDefaults(path: string, value: Value, semantics: Semantics): () => DefaultItem[] {
  if (value.kind !== 'list') {
    return placed(value, () => refuse(path, `must have a list as its defaults, not ${kindOf(value)}`))
  }
  const items = value.items.map((item) => placed(item, () => parseItem(path, item, semantics)))
  return () => items.map(copyOf)
}

function parseItem(path: string, item: Value, semantics: Semantics): DefaultItem {
  if (item.kind === 'scalar' && typeof item.value === 'string') {
    const { group, ofPackage } = splitPackage(item.value)
    if (group === '_self_' && ofPackage !== undefined) {
      return refuse(path, `has ${item.value} in its defaults; _self_ takes no package`)
    }
    return configDefault(group, { package: ofPackage, chosenBy: item.origin })
  }
  if (item.kind !== 'map') return refuse(path, `has ${kindOf(item)} in its defaults`)
  const [first, ...others] = item.entries
  if (first === undefined) return refuse(path, 'has an empty item in its defaults')
  if (others.length > 0) {
    return refuse(path, `has an item of ${others.length + 1} keys in its defaults; give each its own item`)
  }
  const [key, value] = first
  if (typeof key !== 'string') {
    return refuse(path, `has the key ${String(key)} in its defaults, which is no string`, 'AssertionError')
  }
  const { group: worded, ofPackage } = splitPackage(key)
  const { group: named, ...keywords } =
    semantics === 'strict' ? strictKeywords(path, worded) : keywordsOf(path, worded)
  const choice = parseChoice(path, value)
  const { group, value: chosen } =
    semantics === 'strict' ? normalizedOption(named, choice) : { group: named, value: choice }
  return groupDefault(group, chosen, { package: ofPackage, chosenBy: value.origin, ...keywords })
}

interface Keyworded {
  readonly group: string
  readonly optional: boolean
  readonly override: boolean
}

/** Hydra 1.3 stops reading at a word that it does not know. */
function keywordsOf(path: string, text: string): Keyworded {
  const words = text.split(' ')
  const group = words.pop() ?? ''
  if (group === '')
    return refuse(path, `has no group in ${JSON.stringify(text)} of its defaults`, 'AssertionError')
  const unknown = words.findIndex((word) => word !== 'optional' && word !== 'override')
  const known = unknown === -1 ? words : words.slice(0, unknown)
  return { group, optional: known.includes('optional'), override: known.includes('override') }
}

function strictKeywords(path: string, text: string): Keyworded {
  const words = text.split(/\s+/).filter((word) => word !== '')
  const group = words.pop() ?? refuse(path, `has no group in ${JSON.stringify(text)} of its defaults`)
  for (const word of words) {
    if (word === 'optional' || word === 'override') continue
    const advice = suggestion(word, ['optional', 'override'])
    refuse(
      path,
      `has the keyword '${word}' before ${group} in its defaults; there are optional and override${advice}`,
    )
  }
  const [optional, override] = [words.includes('optional'), words.includes('override')]
  if (optional && override) refuse(path, `has both optional and override before ${group} in its defaults`)
  return { group, optional, override }
}

function parseChoice(path: string, value: Value): GroupDefault['value'] {
  if (value.kind === 'scalar' && (value.value === null || typeof value.value === 'string')) return value.value
  if (value.kind !== 'list') return refuse(path, `chooses ${kindOf(value)} in its defaults`)
  return value.items.map((item) =>
    item.kind === 'scalar' && typeof item.value === 'string'
      ? item.value
      : refuse(path, `chooses a list with ${kindOf(item)} in its defaults; options are strings`),
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

function kindOf(value: Value): string {
  if (value.kind !== 'scalar') return `a ${value.kind === 'map' ? 'mapping' : 'list'}`
  const inner: Scalar = value.value
  if (inner === null) return 'null'
  if (inner instanceof Uint8Array) return 'bytes'
  return `the ${typeof inner} ${JSON.stringify(String(inner))}`
}

function refuse(path: string, what: string, ofClass = 'ValueError'): never {
  throw new HydraConfigError('INVALID_DEFAULTS', `${path} ${what}`, { class: ofClass })
}
