import { HydraConfigError, placed } from '../errors.ts'
import type { Override } from '../override/override.ts'
import type { Semantics } from '../semantics.ts'
import { Branch } from './branch.ts'
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
import {
  ancestors,
  type DefaultsNode,
  ensureNoDuplicates,
  type Found,
  foundIn,
  type ResultDefault,
  walk,
} from './defaults-tree.ts'
import { isInterpolated, refuseUnresolved, resolveItem, tryResolveItem } from './interpolated-item.ts'
import type { Repository } from './repository.ts'
import { ensureInside } from './strict-paths.ts'

export interface ExpandedDefaults {
  readonly list: readonly ResultDefault[]
  readonly choices: Choices
  /** The trees of Hydra's own configs and of the primary one. */
  readonly trees: readonly DefaultsNode[]
}

interface ExpandOptions {
  readonly repository: Repository
  /** Name of the primary config; null for none. */
  readonly config: string | null
  readonly overrides: readonly Override[]
  /** Lets groups of the option `???` pass: a multirun chooses them for each job. */
  readonly skipMissing?: boolean
}

/** A config whose defaults list is being read. */
interface OpenConfig {
  readonly node: DefaultsNode
  /** Of its next child. */
  scope: Scope
  readonly list: readonly DefaultItem[]
  readonly selfAdded: boolean
  /** How many items of the list are still to be read. */
  left: number
  /** Those of the item that was read last. */
  alternatives: DefaultItem[]
  readonly children: DefaultsNode[]
  /** How many of the children were looked at for an interpolation. */
  resolved: number
}

/** What holds for a whole subtree. */
interface Scope {
  /** Whether an interpolation chose it: no override may stand in it. */
  readonly interpolated: boolean
  /** Which registered choices count in it; all where undefined. */
  readonly among?: ReadonlySet<string> | undefined
}

/**
 * Expands the defaults lists of the primary config and all that it includes, by the rules of `repository.semantics`.
 * @throws {HydraConfigError} `COMPOSITION`, `MISSING_CONFIG`, `INVALID_DEFAULTS`, `INVALID_HEADER`
 */
export function expandDefaults({
  repository,
  config,
  overrides,
  skipMissing = false,
}: ExpandOptions): ExpandedDefaults {
  // What is wrong with the primary config is told before what is wrong with overrides, as Hydra does.
  if (config !== null) repository.load(config)
  const choices = new Choices(repository, overrides)
  const expansion = new Expansion(repository, choices, skipMissing)
  // The primary tree first: its overrides count for Hydra's own configs as well.
  const primary = expansion.tree(configDefault(config ?? '_dummy_empty_config_', { primary: true }))
  const own = choices.concern('hydra/') ? undefined : unchosenOwnTree(repository)
  for (const [key, name] of own?.known ?? []) choices.known.set(key, name)
  const ownTree = own?.tree ?? expansion.tree(configDefault('hydra/config'))
  const trees = [ownTree, primary]
  expansion.expandDeferred(trees)
  const found = [...(own?.found ?? foundIn(ownTree)), ...foundIn(primary)]
  ensureNoDuplicates(found)
  choices.ensureUsed()
  return { list: found.map(({ result }) => result), choices, trees }
}

/** The tree of Hydra's own configs where nobody chooses any of them. */
interface OwnTree {
  readonly tree: DefaultsNode
  readonly found: readonly Found[]
  readonly known: ReadonlyMap<string, string | null>
}

/** By semantics: these configs never change, and most compositions leave them as they are. */
const ownTrees = new Map<Semantics, OwnTree>()

/** Undefined where Hydra's own configs are not the first source. */
function unchosenOwnTree(repository: Repository): OwnTree | undefined {
  const { semantics, sources } = repository
  if (sources[0]?.provider !== 'hydra') return undefined
  const before = ownTrees.get(semantics)
  if (before !== undefined) return before
  const choices = new Choices(repository, [])
  const tree = new Expansion(repository, choices, false).tree(configDefault('hydra/config'))
  const own = { tree, found: foundIn(tree), known: choices.known }
  ownTrees.set(semantics, own)
  return own
}

class Expansion {
  readonly #repository: Repository
  readonly #choices: Choices
  readonly #skipMissing: boolean
  readonly #strict: boolean
  readonly #branch = new Branch()
  /** By the rules of Hydra 1.4, items whose interpolation waits until the rest of the tree is known. */
  readonly #deferred = new Map<DefaultItem, Scope>()

  constructor(repository: Repository, choices: Choices, skipMissing: boolean) {
    this.#repository = repository
    this.#choices = choices
    this.#skipMissing = skipMissing
    this.#strict = repository.semantics === 'strict'
  }

  /** The tree of an item of the root, expanded. */
  tree(item: DefaultItem): DefaultsNode {
    place(item, '', '')
    const node: DefaultsNode = { item, parent: undefined }
    this.expand(node, { interpolated: false })
    return node
  }

  /** Expands a tree on a stack of its own, however deep it is. */
  expand(root: DefaultsNode, scope: Scope): void {
    const open: OpenConfig[] = []
    let next: DefaultsNode | undefined = root
    let nextScope = scope
    for (;;) {
      const opened = next && this.#openPlaced(next, nextScope)
      if (opened !== undefined) open.push(opened)
      const last = open.at(-1)
      if (last === undefined) return
      next = this.#nextChild(last)
      nextScope = last.scope
      if (next === undefined) {
        this.#close(last)
        open.pop()
      }
    }
  }

  /** As {@link #open}; what goes wrong is told with what chose the item. */
  #openPlaced(node: DefaultsNode, scope: Scope): OpenConfig | undefined {
    return placed({ origin: node.item.chosenBy }, () => this.#open(node, scope))
  }

  /** What an item includes; undefined for a leaf. */
  #open(node: DefaultsNode, scope: Scope): OpenConfig | undefined {
    const { item } = node
    const primary = item.kind === 'config' && item.primary
    const path = configPath(item)
    if (primary && !this.#repository.has(path)) this.#refuseMissing(node)
    if (nameOf(item) !== '???') setPackageHeader(item, this.#repository.load(path)?.header)
    if (this.#choices.delete(item)) {
      item.deleted = true
      return undefined
    }
    this.#choices.meet(item)
    if (nameOf(item) === null || this.#isMissing(item, path)) return undefined
    const loaded = this.#repository.load(path)
    if (loaded === undefined) {
      if (!item.optional) this.#refuseMissing(node)
      item.deleted = true
      return undefined
    }
    this.#branch.enter(item, scope.interpolated, this.#choices.decided)
    const appended = primary ? this.#choices.appended : []
    const list = loaded.defaults()
    const selfAdded = (list.length > 0 || appended.length > 0) && completeSelf(list, path)
    list.push(...appended.map((each) => ({ ...each })))
    if (this.#strict) for (const each of list) ensureInside(each, path)
    this.#checkOverrides(item, list, scope.interpolated)
    return { node, scope, list, selfAdded, left: list.length, alternatives: [], children: [], resolved: 0 }
  }

  /** The next child that is to be expanded: the list is read from its end. */
  #nextChild(config: OpenConfig): DefaultsNode | undefined {
    const { node, children, list } = config
    for (;;) {
      const alternative = config.alternatives.shift()
      if (alternative !== undefined) {
        const child: DefaultsNode = { item: alternative, parent: node }
        children.push(child)
        if (!isInterpolated(alternative)) return child
        if (this.#strict) this.#deferred.set(alternative, this.#scopeOfDeferred(config.scope))
        continue
      }
      const item = config.left > 0 ? list[--config.left] : undefined
      if (item === undefined) return this.#strict ? undefined : this.#nextInterpolated(config)
      if (isSelf(item)) {
        if (this.#strict) ensureNoGroupSelf(item, node.item)
        children.push({ item, parent: node })
      } else if (item.kind === 'group' && item.override) {
        // Of several overrides the last one in the order of the tree is the first one here.
        if (this.#strict) this.#choices.add(configPath(node.item), item)
      } else {
        place(item, groupPath(node.item), finalPackage(node.item), this.#strict)
        this.#choices.apply(item, config.scope.among)
        if (this.#strict) ensureInside(item, configPath(node.item))
        config.alternatives = this.#alternatives(node.item, item)
      }
    }
  }

  /** By the rules of Hydra 1.3: as soon as all choices of its own list are known. */
  #nextInterpolated(config: OpenConfig): DefaultsNode | undefined {
    // Here Hydra 1.3 stumbles over it.
    if (config.resolved === 0) for (const item of config.list) ensureNoGroupSelf(item, config.node.item)
    while (config.resolved < config.children.length) {
      const child = config.children[config.resolved++]
      if (child === undefined || isSelf(child.item) || !isInterpolated(child.item)) continue
      resolveItem(child.item, this.#choices.known, config.list, config.selfAdded)
      config.scope = { interpolated: true }
      return child
    }
    return undefined
  }

  #close({ node, children }: OpenConfig): void {
    this.#branch.leave()
    if (children.length > 0) node.children = children.toReversed()
  }

  #scopeOfDeferred({ among }: Scope): Scope {
    return { interpolated: true, among: among ?? this.#choices.registered() }
  }

  /** Expands what waits for its interpolation, in the order of the trees, as often as one can be resolved. */
  expandDeferred(forest: readonly DefaultsNode[]): void {
    const known = this.#choices.known
    while (this.#deferred.size > 0) {
      const waiting = [...walk(forest)].filter(({ item }) => this.#deferred.has(item))
      const next = waiting.find(({ item }) => tryResolveItem(item, known))
      const scope = next && this.#deferred.get(next.item)
      if (next?.parent === undefined || scope === undefined) {
        for (const { item } of waiting) refuseUnresolved(item, known)
        return
      }
      const { item, parent } = next
      this.#deferred.delete(item)
      ensureInside(item, configPath(parent.item))
      const above = ancestors(next)
      for (const each of above) this.#branch.enter(each.item, scope.interpolated, Number.NaN)
      this.expand(next, scope)
      for (const _ of above) this.#branch.leave()
    }
  }

  /** A list of options is one config each, the last one first. */
  #alternatives(parent: DefaultItem, item: DefaultItem): DefaultItem[] {
    if (item.kind !== 'group' || item.value === null || typeof item.value === 'string') return [item]
    return item.value.toReversed().map((option) => {
      if (option.includes('${')) {
        const where = configPath(parent)
        refuse(`In '${where}': Defaults List interpolation is not supported in options list items`)
      }
      const config = configDefault(`${item.fromRoot ? '/' : ''}${item.group}/${option}`, {
        package: item.package,
        optional: item.optional,
        chosenBy: item.chosenBy,
      })
      if (item.fromRoot) place(config, '', '')
      else place(config, groupPath(parent), finalPackage(parent), this.#strict)
      return config
    })
  }

  /** Checks that overrides come last; by the rules of Hydra 1.3 this also registers them. */
  #checkOverrides(parent: DefaultItem, list: readonly DefaultItem[], interpolated: boolean): void {
    let last: GroupDefault | undefined
    for (const item of list) {
      if (isSelf(item)) continue
      place(item, groupPath(parent), finalPackage(parent), this.#strict)
      if (last !== undefined && !isOverride(item) && !(item.kind === 'group' && item.appended)) {
        refuse(
          `In ${configPath(parent)}: Override '${shown(last, ' : ')}' is defined before '${shown(item)}'.\n` +
            'Overrides must be at the end of the defaults list',
          this.#strict ? classFor(last) : classFor(last, item),
        )
      }
      if (item.kind === 'config' || !item.override) continue
      last = item
      if (interpolated) {
        refuse(
          `${configPath(parent)}: Default List Overrides are not allowed in the subtree\n` +
            `of an in interpolated config group (override ${shown(item, '=')}).\n`,
          classFor(item),
        )
      }
      if (!this.#strict) this.#choices.add(configPath(parent), item)
    }
  }

  #isMissing(item: DefaultItem, path: string): boolean {
    if (this.#strict ? nameOf(item) !== '???' : !path.endsWith('???')) return false
    if (this.#skipMissing) return true
    if (item.kind === 'config') {
      return refuse(`Missing ConfigDefault is not supported : ${path}`, 'ValueError')
    }
    const key = overrideKey(item)
    const options = this.#repository.options(groupPath(item)).map((option) => `\t${option}`)
    return refuse(
      `You must specify '${key}', e.g, ${key}=<OPTION>\nAvailable options:\n${options.join('\n')}`,
    )
  }

  #refuseMissing({ item, parent }: DefaultsNode): never {
    const path = configPath(item)
    const where = parent === undefined ? '' : `In '${configPath(parent.item)}': `
    const sources = this.#repository.sources.map(
      ({ provider, path: of }) => `\tprovider=${provider}, path=${of}`,
    )
    const searched = `\nConfig search path:\n${sources.join('\n')}`
    throw new HydraConfigError('MISSING_CONFIG', `${where}${this.#missing(item, path)}${searched}`, {
      class: 'MissingConfigException',
    })
  }

  #missing(item: DefaultItem, path: string): string {
    if (item.kind === 'config') {
      return item.primary
        ? `Cannot find primary config '${path}'. Check that it's in your config search path.\n`
        : `Could not load '${path}'.\n`
    }
    const options = this.#repository.options(groupPath(item)).map((option) => `\t${option}`)
    const available =
      options.length === 0 ? '' : `\nAvailable options in '${groupPath(item)}':\n${options.join('\n')}`
    return `Could not find '${path}'\n${available}`
  }
}

function ensureNoGroupSelf(item: DefaultItem, parent: DefaultItem): void {
  if (item.kind === 'config' || !isSelf(item)) return
  refuse(`${configPath(parent)} chooses _self_ for ${item.group}`, 'AssertionError')
}

/** Appends `_self_` where nothing says where the config's own body goes; whether it did. */
function completeSelf(list: DefaultItem[], path: string): boolean {
  const selves = list.filter(isSelf).length
  if (selves > 1) refuse(`Duplicate _self_ defined in ${path}`)
  const others = list.some((item) => !isOverride(item))
  if (selves === 0 && (others || list.length === 0)) list.push(configDefault('_self_'))
  return selves === 0
}

function shown(item: DefaultItem, separator = ': '): string {
  return `${overrideKey(item)}${separator}${nameOf(item) ?? 'None'}`
}

/** Hydra stumbles over its own message where an option is a list. */
function classFor(...items: readonly DefaultItem[]): string {
  const named = items.every((item) => item.kind === 'config' || item.value === null || nameOf(item) !== null)
  return named ? 'ConfigCompositionException' : 'AssertionError'
}

function refuse(message: string, ofClass = 'ConfigCompositionException'): never {
  throw new HydraConfigError('COMPOSITION', message, { class: ofClass })
}
