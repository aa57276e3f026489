import type { StructType } from '../value/typing.ts'
import type { Value } from '../value/value.ts'
import type { DefaultItem } from './default-item.ts'

/** One config as it was read. */
export interface LoadedConfig {
  readonly path: string
  readonly header: string | undefined
  /** The config without its defaults list. */
  readonly body: Value
  /** Of a structured config: its type. */
  readonly struct?: StructType | undefined
  /** Its defaults list. What expands it makes copies, for items change then. */
  readonly defaults: readonly DefaultItem[]
  /** Whether Hydra brings it along: in the merge of these, nothing depends on where an interpolation leads. */
  readonly isOwn?: true
  /** Of a config that is kept, for most compositions merge it as the last one did. */
  readonly lastMerge?: LastMerge
}

/** What a config was merged into last, below which package, and what it gave: all that decides this is in here. */
interface LastMerge {
  root?: Value
  package?: string
  merged?: Value
}
