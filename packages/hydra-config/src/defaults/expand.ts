import { HydraConfigError } from '../errors.ts'
import type { Override } from '../override/override.ts'
import { Choices } from './choices.ts'
import {
  configDefault,
  configPath,
  type DefaultItem,
  finalPackage,
  type GroupDefault,
  groupPath,
  isOverride,
  isSelf,
  nameOf,
  overrideKey,
  place,
  setPackageHeader,
} from './default-item.ts'
import { isInterpolated, resolveItem } from './interpolated-item.ts'
import type { LoadedConfig, Repository } from './repository.ts'

/** One config of the final defaults list, in the order of composition. */
export interface ResultDefault {
  /** From the root of the search path, without `.yaml`. */
  readonly config: string
  /** Where its body goes; '' for the root. */
  readonly package: string
  /** The config whose list has it; undefined for the primary one. */
  readonly parent: string | undefined
  /** Whether it is the primary config's own body. */
  readonly primary: boolean
}

export interface ExpandedDefaults {
  readonly list: readonly ResultDefault[]
  readonly choices: Choices
}

interface ExpandOptions {
  readonly repository: Repository
  /** Name of the primary config; null for none. */
  readonly config: string | null
  readonly overrides: readonly Override[]
  /** Lets groups of the option `???` pass: a multirun chooses them for each job. */
  readonly skipMissing?: boolean
}

interface Node {
  readonly item: DefaultItem
  readonly parent: Node | undefined
  /** Undefined for a leaf. */
  children?: readonly Node[]
}

/** How many configs one defaults tree may hold on one branch: a cycle ends here. */
const maxDepth = 300

/**
 * Expands the defaults lists of the primary config and all that it includes.
 * @throws {HydraConfigError} `COMPOSITION`, `MISSING_CONFIG`, `INVALID_DEFAULTS`, `INVALID_HEADER`
 */
export function expandDefaults({
  repository,
  config,
  overrides,
  skipMissing = false,
}: ExpandOptions): ExpandedDefaults {
  const choices = new Choices(repository, overrides)
  const expansion = new Expansion(repository, choices, skipMissing)
  const primary = configDefault(config ?? '_dummy_empty_config_', { primary: true })
  // The primary tree first: its overrides count for Hydra's own configs as well.
  const trees = [primary, configDefault('hydra/config')].map((item) => {
    place(item, '', '')
    const node: Node = { item, parent: undefined }
    expansion.expand(node, false)
    return node
  })
  const list = trees.toReversed().flatMap((tree) => [...results(tree)])
  ensureNoDuplicates(list)
  choices.ensureUsed()
  return { list: list.map(({ result }) => result), choices }
}

class Expansion {
  readonly #repository: Repository
  readonly #choices: Choices
  readonly #skipMissing: boolean

  constructor(repository: Repository, choices: Choices, skipMissing: boolean) {
    this.#repository = repository
    this.#choices = choices
    this.#skipMissing = skipMissing
  }

  expand(node: Node, interpolated: boolean): void {
    const { item } = node
    ensureNoCycle(node)
    const primary = item.kind === 'config' && item.primary
    const path = configPath(item)
    if (primary && !this.#repository.has(path)) this.#refuseMissing(node)
    if (nameOf(item) !== '???') setPackageHeader(item, this.#repository.load(path)?.header)
    if (this.#choices.delete(item)) {
      item.deleted = true
      return
    }
    this.#choices.meet(item)
    if (nameOf(item) === null || this.#isMissing(item, path)) return
    const loaded = this.#repository.load(path)
    if (loaded === undefined) {
      if (!item.optional) this.#refuseMissing(node)
      item.deleted = true
      return
    }
    this.#expandLoaded(node, loaded, interpolated, primary)
  }

  #expandLoaded(node: Node, loaded: LoadedConfig, interpolated: boolean, primary: boolean): void {
    const appended = primary ? this.#choices.appended : []
    const list = loaded.defaults()
    const selfAdded = (list.length > 0 || appended.length > 0) && completeSelf(list, configPath(node.item))
    list.push(...appended.map((each) => ({ ...each })))
    this.#registerOverrides(node.item, list, interpolated)

    const children: Node[] = []
    for (const item of list.toReversed()) {
      if (isSelf(item)) {
        if (item.kind === 'group')
          refuse(`${configPath(node.item)} chooses _self_ for ${item.group}`, 'AssertionError')
        children.push({ item, parent: node })
        continue
      }
      if (isOverride(item)) continue
      place(item, groupPath(node.item), finalPackage(node.item))
      this.#choices.apply(item)
      for (const each of this.#alternatives(node.item, item)) {
        const child: Node = { item: each, parent: node }
        children.push(child)
        if (!isInterpolated(each)) this.expand(child, interpolated)
      }
    }
    // All choices are known now.
    for (const child of children) {
      if (isSelf(child.item) || !isInterpolated(child.item)) continue
      resolveItem(child.item, this.#choices.known, list, selfAdded)
      this.expand(child, true)
    }
    if (children.length > 0) node.children = children.toReversed()
  }

  /** A list of options is one config each, the last one first. */
  #alternatives(parent: DefaultItem, item: DefaultItem): readonly DefaultItem[] {
    if (item.kind !== 'group' || item.value === null || typeof item.value === 'string') return [item]
    return item.value.toReversed().map((option) => {
      if (option.includes('${')) {
        refuse(`in '${configPath(parent)}': an option of a list cannot be an interpolation: ${option}`)
      }
      const config = configDefault(`${item.group}/${option}`, {
        package: item.package,
        optional: item.optional,
      })
      place(config, groupPath(parent), finalPackage(parent))
      return config
    })
  }

  #registerOverrides(parent: DefaultItem, list: readonly DefaultItem[], interpolated: boolean): void {
    let last: GroupDefault | undefined
    for (const item of list) {
      if (isSelf(item)) continue
      place(item, groupPath(parent), finalPackage(parent))
      if (last !== undefined && !isOverride(item) && !(item.kind === 'group' && item.appended)) {
        refuse(
          `in ${configPath(parent)}: the override '${shown(last)}' stands before '${shown(item)}'; ` +
            'move overrides to the end of the defaults list',
          classFor(last, item),
        )
      }
      if (item.kind === 'config' || !item.override) continue
      last = item
      if (interpolated) {
        refuse(
          `${configPath(parent)} was chosen by an interpolation, so its defaults list cannot override ${shown(item)}`,
          classFor(item),
        )
      }
      this.#choices.add(configPath(parent), item)
    }
  }

  #isMissing(item: DefaultItem, path: string): boolean {
    if (!path.endsWith('???')) return false
    if (this.#skipMissing) return true
    if (item.kind === 'config') {
      return refuse(`${path} is missing; a config has to be named`, 'ValueError')
    }
    const key = overrideKey(item)
    const options = this.#repository.options(groupPath(item)).join(', ')
    return refuse(`'${key}' must be chosen, such as ${key}=<option>; the options are ${options}`)
  }

  #refuseMissing({ item, parent }: Node): never {
    const path = configPath(item)
    const where = parent === undefined ? '' : `in '${configPath(parent.item)}': `
    const names = this.#repository.sources.map(({ provider, path: of }) => `${provider} (${of})`).join(', ')
    const options = item.kind === 'group' ? this.#repository.options(groupPath(item)) : []
    const others =
      options.length === 0 ? '' : `; the options in '${groupPath(item)}' are ${options.join(', ')}`
    const what = item.kind === 'config' && item.primary ? 'there is no primary config' : 'there is no config'
    throw new HydraConfigError('MISSING_CONFIG', `${where}${what} '${path}'${others}; searched in ${names}`, {
      class: 'MissingConfigException',
    })
  }
}

/** Appends `_self_` where nothing says where the config's own body goes; whether it did. */
function completeSelf(list: DefaultItem[], path: string): boolean {
  const selves = list.filter(isSelf).length
  if (selves > 1) refuse(`${path} has _self_ more than once in its defaults list`)
  const others = list.some((item) => !isOverride(item))
  if (selves === 0 && (others || list.length === 0)) list.push(configDefault('_self_'))
  return selves === 0
}

function ensureNoCycle(node: Node): void {
  let depth = 0
  for (let each = node.parent; each !== undefined; each = each.parent) depth++
  if (depth < maxDepth) return
  const paths: string[] = []
  for (let each: Node | undefined = node; each !== undefined; each = each.parent) {
    const path = configPath(each.item)
    if (paths.includes(path)) break
    paths.push(path)
  }
  refuse(`defaults lists include each other: ${paths.toReversed().join(' -> ')}`, 'RecursionError')
}

interface Found {
  readonly result: ResultDefault
  readonly key: string | undefined
}

function* results(node: Node): Generator<Found> {
  if (node.children !== undefined) {
    for (const child of node.children) yield* results(child)
    return
  }
  const { item, parent } = node
  if (item.deleted || nameOf(item) === '???' || nameOf(item) === null) return
  if (isSelf(item) && parent !== undefined) {
    yield { result: resultOf(parent), key: undefined }
    return
  }
  yield { result: resultOf(node), key: item.kind === 'group' ? overrideKey(item) : undefined }
}

function resultOf({ item, parent }: Node): ResultDefault {
  return {
    config: configPath(item),
    package: finalPackage(item),
    parent: parent === undefined ? undefined : configPath(parent.item),
    primary: item.kind === 'config' && item.primary,
  }
}

function ensureNoDuplicates(list: readonly Found[]): void {
  const keys = new Set<string>()
  for (const { key } of list) {
    if (key === undefined) continue
    if (keys.has(key)) refuse(`${key} is more than once in the final defaults list`)
    keys.add(key)
  }
}

function shown(item: DefaultItem): string {
  return `${overrideKey(item)}: ${String(nameOf(item))}`
}

/** Hydra stumbles over its own message where an option is a list. */
function classFor(...items: readonly DefaultItem[]): string {
  const named = items.every((item) => item.kind === 'config' || item.value === null || nameOf(item) !== null)
  return named ? 'ConfigCompositionException' : 'AssertionError'
}

function refuse(message: string, ofClass = 'ConfigCompositionException'): never {
  throw new HydraConfigError('COMPOSITION', message, { class: ofClass })
}
