import { HydraConfigError } from '../errors.ts'
import type { Override } from '../override/override.ts'
import type { Origin } from '../value/value.ts'
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
import { isInterpolated, refuseUnresolved, resolveItem, tryResolveItem } from './interpolated-item.ts'
import type { LoadedConfig, Repository } from './repository.ts'
import { ensureInside } from './strict-paths.ts'

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
  /** Whether `_self_` in its own defaults list says that its body goes here. */
  readonly isSelf: boolean
  /** The configs that brought it, from the primary one down to itself, each with what chose it. */
  readonly trail: DefaultsTrail
}

/** The configs of one branch of the defaults tree from the root down. */
export type DefaultsTrail = readonly TrailStep[]

/** One config of a branch of the defaults tree. */
export interface TrailStep {
  /** From the root of the search path, without `.yaml`. */
  readonly config: string
  /** Where its body goes; '' for the root. */
  readonly package: string
  /** The option in a defaults list, or the override, that chose it; undefined for the primary config. */
  readonly chosenBy: Origin | undefined
}

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

/** One entry of a defaults list with what it includes. */
export interface DefaultsNode {
  readonly item: DefaultItem
  readonly parent: DefaultsNode | undefined
  /** Undefined for a leaf. */
  children?: readonly DefaultsNode[]
}

/** What stands between an item and its place in the tree: one step for each config on the branch. */
type Steps = Generator<Steps, void, void>

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
  const choices = new Choices(repository, overrides)
  const expansion = new Expansion(repository, choices, skipMissing)
  const primary = configDefault(config ?? '_dummy_empty_config_', { primary: true })
  // The primary tree first: its overrides count for Hydra's own configs as well.
  const trees = [primary, configDefault('hydra/config')].map((item) => {
    place(item, '', '')
    const node: DefaultsNode = { item, parent: undefined }
    expansion.expand(node, { interpolated: false })
    return node
  })
  const forest = trees.toReversed()
  expansion.expandDeferred(forest)
  const list = forest.flatMap((tree) => [...results(tree)])
  ensureNoDuplicates(list)
  choices.ensureUsed()
  return { list: list.map(({ result }) => result), choices, trees: forest }
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

  /** Runs the steps of a tree on a stack of its own, however deep it is. */
  expand(root: DefaultsNode, scope: Scope): void {
    const running: Steps[] = [this.#expand(root, scope)]
    for (let steps = running.at(-1); steps !== undefined; steps = running.at(-1)) {
      const { done, value } = steps.next()
      if (done === true) running.pop()
      else running.push(value)
    }
  }

  *#expand(node: DefaultsNode, scope: Scope): Steps {
    const { item } = node
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
    this.#branch.enter(item, scope.interpolated, this.#choices.decided)
    yield* this.#expandLoaded(node, loaded, scope, primary)
    this.#branch.leave()
  }

  *#expandLoaded(node: DefaultsNode, loaded: LoadedConfig, scope: Scope, primary: boolean): Steps {
    const appended = primary ? this.#choices.appended : []
    const list = loaded.defaults()
    const selfAdded = (list.length > 0 || appended.length > 0) && completeSelf(list, configPath(node.item))
    list.push(...appended.map((each) => ({ ...each })))
    if (this.#strict) for (const item of list) ensureInside(item, configPath(node.item))
    this.#checkOverrides(node.item, list, scope.interpolated)

    const children: DefaultsNode[] = []
    for (const item of list.toReversed()) {
      if (isSelf(item)) {
        if (item.kind === 'group')
          refuse(`${configPath(node.item)} chooses _self_ for ${item.group}`, 'AssertionError')
        children.push({ item, parent: node })
        continue
      }
      if (item.kind === 'group' && item.override) {
        // Read from the end, so that of several overrides the last one in the order of the tree is the first.
        if (this.#strict) this.#choices.add(configPath(node.item), item)
        continue
      }
      place(item, groupPath(node.item), finalPackage(node.item))
      this.#choices.apply(item, scope.among)
      if (this.#strict) ensureInside(item, configPath(node.item))
      for (const each of this.#alternatives(node.item, item)) {
        const child: DefaultsNode = { item: each, parent: node }
        children.push(child)
        if (!isInterpolated(each)) yield this.#expand(child, scope)
        else if (this.#strict) this.#deferred.set(each, this.#scopeOfDeferred(scope))
      }
    }
    if (!this.#strict) yield* this.#expandInterpolated(children, list, selfAdded)
    if (children.length > 0) node.children = children.toReversed()
  }

  /** By the rules of Hydra 1.3: as soon as all choices of its own list are known. */
  *#expandInterpolated(
    children: readonly DefaultsNode[],
    list: readonly DefaultItem[],
    selfAdded: boolean,
  ): Steps {
    for (const child of children) {
      if (isSelf(child.item) || !isInterpolated(child.item)) continue
      resolveItem(child.item, this.#choices.known, list, selfAdded)
      yield this.#expand(child, { interpolated: true })
    }
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
  #alternatives(parent: DefaultItem, item: DefaultItem): readonly DefaultItem[] {
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
      else place(config, groupPath(parent), finalPackage(parent))
      return config
    })
  }

  /** Checks that overrides come last; by the rules of Hydra 1.3 this also registers them. */
  #checkOverrides(parent: DefaultItem, list: readonly DefaultItem[], interpolated: boolean): void {
    let last: GroupDefault | undefined
    for (const item of list) {
      if (isSelf(item)) continue
      place(item, groupPath(parent), finalPackage(parent))
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

/** Appends `_self_` where nothing says where the config's own body goes; whether it did. */
function completeSelf(list: DefaultItem[], path: string): boolean {
  const selves = list.filter(isSelf).length
  if (selves > 1) refuse(`Duplicate _self_ defined in ${path}`)
  const others = list.some((item) => !isOverride(item))
  if (selves === 0 && (others || list.length === 0)) list.push(configDefault('_self_'))
  return selves === 0
}

interface Found {
  readonly result: ResultDefault
  readonly key: string | undefined
}

function* results(tree: DefaultsNode): Generator<Found> {
  for (const node of walk([tree])) {
    const { item, parent, children } = node
    if (children !== undefined || item.deleted || nameOf(item) === '???' || nameOf(item) === null) continue
    if (isSelf(item) && parent !== undefined) yield { result: resultOf(parent, true), key: undefined }
    else yield { result: resultOf(node, false), key: item.kind === 'group' ? overrideKey(item) : undefined }
  }
}

/** Each node before its children, from the first tree on; without recursion, for a tree may be deep. */
function* walk(forest: readonly DefaultsNode[]): Generator<DefaultsNode> {
  const waiting = forest.toReversed()
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    yield node
    for (const child of node.children?.toReversed() ?? []) waiting.push(child)
  }
}

/** From the root down. */
function ancestors({ parent }: DefaultsNode): DefaultsNode[] {
  const found: DefaultsNode[] = []
  for (let node = parent; node !== undefined; node = node.parent) found.push(node)
  return found.toReversed()
}

function resultOf(node: DefaultsNode, self: boolean): ResultDefault {
  const { item, parent } = node
  return {
    config: configPath(item),
    package: finalPackage(item),
    parent: parent === undefined ? undefined : configPath(parent.item),
    primary: item.kind === 'config' && item.primary,
    isSelf: self,
    get trail(): DefaultsTrail {
      return [...ancestors(node), node].map((each) => ({
        config: configPath(each.item),
        package: finalPackage(each.item),
        chosenBy: each.item.chosenBy,
      }))
    },
  }
}

function ensureNoDuplicates(list: readonly Found[]): void {
  const keys = new Set<string>()
  for (const { key } of list) {
    if (key === undefined) continue
    if (keys.has(key)) refuse(`${key} appears more than once in the final defaults list`)
    keys.add(key)
  }
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
