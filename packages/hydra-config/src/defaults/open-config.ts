import type { Entry } from './branch.ts'
import type { DefaultItem } from './default-item.ts'
import type { DefaultsNode } from './defaults-tree.ts'

/** A config whose defaults list is being read. */
export interface OpenConfig extends Entry {
  readonly node: DefaultsNode
  /** Of its next child. */
  scope: Scope
  readonly list: readonly DefaultItem[]
  /** How many items of the list are still to be read. */
  left: number
  /** The options of the item that was read last, where they are a list: the last one is next. */
  alternatives: DefaultItem[] | undefined
  /** The child that was made last. */
  last: DefaultsNode | undefined
  /** Children that have an interpolation, from the end of the list on; undefined for none. */
  unresolved: DefaultsNode[] | undefined
  /** How many of these were resolved. */
  resolved: number
  /** What was chosen when the list had been read: of choices that its interpolations make the next ones see nothing. */
  known: ReadonlyMap<string, string | null> | undefined
}

/** What holds for a whole subtree. */
export interface Scope {
  /** Whether an interpolation chose it: no override may stand in it. */
  readonly interpolated: boolean
  /** Which registered choices count in it; all where undefined. */
  readonly among?: ReadonlySet<string> | undefined
}
