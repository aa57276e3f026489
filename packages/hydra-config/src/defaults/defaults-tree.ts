import { refuse } from '../compose/refuse.ts'
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
  /** The child of the same parent that was made before: the next one of the list. */
  readonly before: DefaultsNode | undefined
  /** Undefined for a leaf. */
  children: readonly DefaultsNode[] | undefined
}

export function nodeOf(
  item: DefaultItem,
  parent: DefaultsNode | undefined,
  before: DefaultsNode | undefined,
): DefaultsNode {
  return { item, parent, before, children: undefined }
}

/** An entry of the final defaults list. */
export interface Found {
  readonly result: ResultDefault
  /** What overrides call it; undefined for what they cannot choose. */
  readonly key: string | undefined
}

/** What a tree that is expanded brings into the final defaults list. */
export function foundIn(tree: DefaultsNode): readonly Found[] {
  const found: Found[] = []
  for (const node of walk([tree])) {
    const { item, parent, children } = node
    if (children !== undefined || item.deleted || nameOf(item) === '???' || nameOf(item) === null) continue
    if (isSelf(item) && parent !== undefined) found.push({ result: new Result(parent, true), key: undefined })
    else {
      const key = item.kind === 'group' ? overrideKey(item) : undefined
      found.push({ result: new Result(node, false), key })
    }
  }
  return found
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
export function ancestors({ parent }: Pick<DefaultsNode, 'parent'>): DefaultsNode[] {
  const found: DefaultsNode[] = []
  for (let node = parent; node !== undefined; node = node.parent) found.push(node)
  return found.toReversed()
}

class Result implements ResultDefault {
  readonly config: string
  readonly package: string
  readonly parent: string | undefined
  readonly primary: boolean
  readonly isSelf: boolean
  readonly #node: DefaultsNode

  constructor(node: DefaultsNode, self: boolean) {
    const { item, parent } = node
    this.config = configPath(item)
    this.package = finalPackage(item)
    this.parent = parent === undefined ? undefined : configPath(parent.item)
    this.primary = item.kind === 'config' && item.primary
    this.isSelf = self
    this.#node = node
  }

  /** Made when it is asked for: in a deep tree all of them together are long. */
  get trail(): DefaultsTrail {
    return ancestors({ parent: this.#node }).map((each) => ({
      config: configPath(each.item),
      package: finalPackage(each.item),
      chosenBy: each.item.chosenBy,
    }))
  }
}

/** @throws {HydraConfigError} `COMPOSITION` for a group that is in the list twice */
export function ensureNoDuplicates(list: readonly Found[]): void {
  const keys = new Set<string>()
  for (const { key } of list) {
    if (key === undefined) continue
    if (keys.has(key)) {
      refuse(`${key} appears more than once in the final defaults list`)
    }
    keys.add(key)
  }
}
