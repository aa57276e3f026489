import { HydraConfigError } from '../errors.ts'
import type { Origin } from '../value/value.ts'
import { configPath, type DefaultItem, finalPackage, isSelf, nameOf, overrideKey } from './default-item.ts'

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

/** One entry of a defaults list with what it includes. */
export interface DefaultsNode {
  readonly item: DefaultItem
  readonly parent: DefaultsNode | undefined
  /** Undefined for a leaf. */
  children?: readonly DefaultsNode[]
}

/**
 * The final defaults list of trees that are expanded.
 * @throws {HydraConfigError} `COMPOSITION` for a group that is in it twice
 */
export function flattened(forest: readonly DefaultsNode[]): readonly ResultDefault[] {
  const list = forest.flatMap((tree) => [...results(tree)])
  ensureNoDuplicates(list)
  return list.map(({ result }) => result)
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
export function* walk(forest: readonly DefaultsNode[]): Generator<DefaultsNode> {
  const waiting = forest.toReversed()
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    yield node
    for (const child of node.children?.toReversed() ?? []) waiting.push(child)
  }
}

/** From the root down. */
export function ancestors({ parent }: DefaultsNode): DefaultsNode[] {
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
    if (keys.has(key)) {
      throw new HydraConfigError('COMPOSITION', `${key} appears more than once in the final defaults list`, {
        class: 'ConfigCompositionException',
      })
    }
    keys.add(key)
  }
}
