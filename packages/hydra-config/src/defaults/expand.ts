import { refuse } from '../compose/refuse.ts'
import { placedError } from '../errors.ts'
import type { Override } from '../override/override.ts'
import type { Value } from '../value/value.ts'
import { Branch, type Entry } from './branch.ts'
import { Choices } from './choices.ts'
import type { ConfigRepository } from './config-repository.ts'
import {
  addedSelf,
  configDefault,
  configPath,
  copyOf,
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
  type DefaultsNode,
  ensureNoDuplicates,
  type Found,
  foundIn,
  nodeOf,
  type ResultDefault,
} from './defaults-tree.ts'
import { isInterpolated, resolveItem } from './interpolated-item.ts'
import type { LoadedConfig } from './loaded-config.ts'
import { refuseMissing } from './missing-config.ts'
import type { OpenConfig, Scope } from './open-config.ts'
import type { StrictRules } from './strict-rules.ts'

export interface ExpandedDefaults {
  readonly list: readonly ResultDefault[]
  readonly choices: Choices
  /** The trees of Hydra's own configs, where they are there, and of the primary one. */
  readonly trees: readonly DefaultsNode[]
}

/** The tree of Hydra's own configs; undefined where they are not there. */
export type OwnConfigs = (
  repository: ConfigRepository,
  choices: Choices,
  expansion: Pick<Expansion, 'tree'>,
) => OwnTree | undefined

export interface OwnTree {
  readonly tree: DefaultsNode
  /** What is in it, where it is known before deferred items are expanded. */
  readonly found?: readonly Found[]
}

interface ExpandOptions {
  readonly repository: ConfigRepository
  /** Name of the primary config; null for none. */
  readonly config: string | null
  readonly overrides: readonly Override[]
  /** Lets groups of the option `???` pass: a multirun chooses them for each job. */
  readonly skipMissing?: boolean
  /** Takes the warning of a primary config that does not say where its own values stand. Default: nobody. */
  readonly warn?: ((message: string) => void) | undefined
  /** The tree of Hydra's own configs. Default: they are not composed. */
  readonly own?: OwnConfigs | undefined
}

/** What stands for the primary config where there is none. */
const noConfig = '_dummy_empty_config_'

const orderPage = 'https://hydra.cc/docs/1.2/upgrades/1.0_to_1.1/default_composition_order'

/**
 * Expands the defaults lists of the primary config and all that it includes, by the rules of `repository.semantics`.
 * @throws {HydraConfigError} `COMPOSITION`, `MISSING_CONFIG`, `INVALID_DEFAULTS`, `INVALID_HEADER`
 */
export function expandDefaults({
  repository,
  config,
  overrides,
  skipMissing = false,
  warn = () => {},
  own,
}: ExpandOptions): ExpandedDefaults {
  // What is wrong with the primary config is told before what is wrong with overrides, as Hydra does.
  if (config !== null) primaryBody(repository, config)
  const choices = new Choices(repository, overrides)
  const expansion = new Expansion(repository, choices, { skipMissing, warn })
  // The primary tree first: its overrides count for Hydra's own configs as well.
  const primary = expansion.tree(configDefault(config ?? noConfig, { primary: true }))
  const ofHydra = own?.(repository, choices, expansion)
  const trees = ofHydra === undefined ? [primary] : [ofHydra.tree, primary]
  expansion.expandDeferred(trees)
  const found = [...(ofHydra?.found ?? (ofHydra ? foundIn(ofHydra.tree) : [])), ...foundIn(primary)]
  ensureNoDuplicates(found)
  choices.ensureUsed()
  // What stands for no primary config is in the tree alone.
  const list = found.map(({ result }) => result).filter((result) => result.config !== noConfig)
  return { list, choices, trees }
}

/**
 * The body of the primary config; undefined where there is no such config.
 * @throws {HydraConfigError} `COMPOSITION` for a list, and as {@link ConfigRepository.load}
 */
export function primaryBody(repository: ConfigRepository, config: string): Value | undefined {
  const body = repository.load(config)?.body
  if (body?.kind === 'list') refuse(`primary config '${config}' must be a DictConfig, got ListConfig`)
  return body
}

export class Expansion {
  readonly #repository: ConfigRepository
  readonly #choices: Choices
  readonly #skipMissing: boolean
  readonly #warn: (message: string) => void
  readonly #strict: StrictRules | undefined
  readonly #branch = new Branch()
  /** By the rules of Hydra 1.4, items whose interpolation waits until the rest of the tree is known. */
  readonly #deferred = new Map<DefaultItem, Scope>()

  constructor(
    repository: ConfigRepository,
    choices: Choices,
    { skipMissing, warn }: Required<Pick<ExpandOptions, 'skipMissing'>> & { warn: (message: string) => void },
  ) {
    this.#repository = repository
    this.#choices = choices
    this.#skipMissing = skipMissing
    this.#warn = warn
    this.#strict = repository.strict
  }

  /** The tree of an item of the root, expanded. */
  tree(item: DefaultItem): DefaultsNode {
    place(item, '', '')
    const node = nodeOf(item, undefined, undefined)
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
    try {
      return this.#open(node, scope)
    } catch (error) {
      throw placedError(error, { origin: node.item.chosenBy })
    }
  }

  /** What an item includes; undefined for a leaf. */
  #open(node: DefaultsNode, scope: Scope): OpenConfig | undefined {
    const { item } = node
    const primary = item.kind === 'config' && item.primary
    const path = configPath(item)
    if (primary && !this.#repository.has(path)) refuseMissing(this.#repository, node)
    const loaded = nameOf(item) === '???' ? undefined : this.#repository.load(path)
    setPackageHeader(item, loaded?.header)
    if (this.#choices.delete(item)) {
      item.deleted = true
      return undefined
    }
    this.#choices.meet(item)
    if (nameOf(item) === null || this.#isMissing(item, path)) return undefined
    if (loaded === undefined) {
      if (!item.optional) refuseMissing(this.#repository, node)
      item.deleted = true
      return undefined
    }
    const appended = primary ? this.#choices.appended : []
    const selfAdded = this.#lacksSelf(loaded, primary, appended.length > 0)
    const list = loaded.defaults.map((each) => (isSelf(each) ? each : copyOf(each)))
    if (selfAdded) list.push(addedSelf)
    for (const each of appended) list.push(copyOf(each))
    if (this.#strict) for (const each of list) this.#strict.ensureInside(each, path)
    const opened: OpenConfig = {
      config: loaded,
      group: groupPath(item),
      package: finalPackage(item),
      interpolated: scope.interpolated,
      decided: this.#choices.decided,
      registered: this.#choices.registeredCount,
      reach: this.#choices.reach,
      before: undefined,
      repetitions: 0,
      node,
      scope,
      list,
      left: list.length,
      alternatives: undefined,
      last: undefined,
      unresolved: undefined,
      resolved: 0,
      known: undefined,
    }
    this.#branch.enter(opened)
    this.#placeItems(opened)
    return opened
  }

  /** The next child that is to be expanded: the list is read from its end. */
  #nextChild(config: OpenConfig): DefaultsNode | undefined {
    const { node, list } = config
    const { path } = config.config
    for (;;) {
      const alternative = config.alternatives?.pop()
      const item = alternative ?? (config.left > 0 ? list[--config.left] : undefined)
      if (item === undefined) return this.#strict ? undefined : this.#nextInterpolated(config)
      if (alternative === undefined) {
        if (isSelf(item)) {
          if (this.#strict) ensureNoGroupSelf(item, node.item)
          config.last = nodeOf(item, node, config.last)
          continue
        }
        if (item.kind === 'group' && item.override) {
          // Of several overrides the last one in the order of the tree is the first one here.
          if (this.#strict) this.#choices.add(path, item)
          continue
        }
        this.#choices.apply(item, config.scope.among)
        this.#strict?.ensureInside(item, path)
        config.alternatives = this.#alternatives(config, item)
        if (config.alternatives !== undefined) continue
      }
      const child = nodeOf(item, node, config.last)
      config.last = child
      if (!isInterpolated(item)) return child
      if (this.#strict) this.#deferred.set(item, this.#scopeOfDeferred(config.scope))
      else (config.unresolved ??= []).push(child)
    }
  }

  /** By the rules of Hydra 1.3: as soon as all choices of its own list are known. */
  #nextInterpolated(config: OpenConfig): DefaultsNode | undefined {
    // Here Hydra 1.3 stumbles over it.
    if (config.resolved === 0) for (const item of config.list) ensureNoGroupSelf(item, config.node.item)
    const child = config.unresolved?.[config.resolved++]
    if (child === undefined) return undefined
    config.known ??= new Map(this.#choices.known)
    resolveItem(child.item, config.known, config.list, this.#repository.parts)
    config.scope = { interpolated: true }
    return child
  }

  #close({ node, last }: OpenConfig): void {
    this.#branch.leave()
    if (last === undefined) return
    const children: DefaultsNode[] = []
    // The list was read from its end.
    for (let child: DefaultsNode | undefined = last; child !== undefined; child = child.before)
      children.push(child)
    node.children = children
  }

  #scopeOfDeferred({ among }: Scope): Scope {
    return { interpolated: true, among: among ?? this.#choices.registered() }
  }

  /** Expands what waits for its interpolation. */
  expandDeferred(forest: readonly DefaultsNode[]): void {
    this.#strict?.expandDeferred(forest, {
      deferred: this.#deferred,
      known: this.#choices.known,
      branch: this.#branch,
      load: (path) => this.#repository.load(path),
      expand: (root, scope) => this.expand(root, scope),
    })
  }

  /** Of a list of options one config each; undefined for a single one. */
  #alternatives(parent: Entry, item: DefaultItem): DefaultItem[] | undefined {
    if (item.kind !== 'group' || item.value === null || typeof item.value === 'string') return undefined
    return item.value.map((option) => {
      if (option.includes('${')) {
        refuse(
          `In '${parent.config.path}': Defaults List interpolation is not supported in options list items`,
        )
      }
      const config = configDefault(`${item.fromRoot ? '/' : ''}${item.group}/${option}`, {
        package: item.package,
        optional: item.optional,
        chosenBy: item.chosenBy,
      })
      if (item.fromRoot) place(config, '', '')
      else place(config, parent.group, parent.package, this.#strict?.packageOf)
      return config
    })
  }

  /** Tells all items where they stand, and checks that overrides come last; by the rules of Hydra 1.3 this also registers them. */
  #placeItems({ config, group, package: ofPackage, interpolated, list }: OpenConfig): void {
    const { path } = config
    let last: GroupDefault | undefined
    for (const item of list) {
      if (isSelf(item)) continue
      place(item, group, ofPackage, this.#strict?.packageOf)
      if (last !== undefined && !isOverride(item) && !(item.kind === 'group' && item.appended)) {
        refuse(
          `In ${path}: Override '${shown(last, ' : ')}' is defined before '${shown(item)}'.\n` +
            'Overrides must be at the end of the defaults list',
          this.#strict ? classFor(last) : classFor(last, item),
        )
      }
      if (item.kind === 'config' || !item.override) continue
      last = item
      if (interpolated) {
        refuse(
          `${path}: Default List Overrides are not allowed in the subtree\n` +
            `of an in interpolated config group (override ${shown(item, '=')}).\n`,
          classFor(item),
        )
      }
      if (!this.#strict) this.#choices.add(path, item)
    }
  }

  /** Whether nothing says where the config's own body goes, so that it goes to the end. */
  #lacksSelf({ path, body, defaults }: LoadedConfig, primary: boolean, hasAppended: boolean): boolean {
    let selves = 0
    let others = false
    for (const item of defaults) {
      if (isSelf(item)) selves += 1
      others ||= !isOverride(item)
    }
    if (selves > 1) refuse(`Duplicate _self_ defined in ${path}`)
    if (selves > 0) return false
    if (primary && others && hasContent(body)) {
      this.#warn(`In '${path}': Defaults list is missing \`_self_\`. See ${orderPage} for more information`)
    }
    return others || (hasAppended && defaults.length === 0)
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
}

function ensureNoGroupSelf(item: DefaultItem, parent: DefaultItem): void {
  if (item.kind === 'config' || !isSelf(item)) return
  refuse(`${configPath(parent)} chooses _self_ for ${item.group}`, 'AssertionError')
}

function hasContent(body: Value): boolean {
  if (body.kind !== 'map') return false
  return body.entries.values().some((value) => !(value.kind === 'scalar' && value.value === '???'))
}

function shown(item: DefaultItem, separator = ': '): string {
  return `${overrideKey(item)}${separator}${nameOf(item) ?? 'None'}`
}

/** Hydra stumbles over its own message where an option is a list. */
function classFor(...items: readonly DefaultItem[]): string {
  const named = items.every((item) => item.kind === 'config' || item.value === null || nameOf(item) !== null)
  return named ? 'ConfigCompositionException' : 'AssertionError'
}
