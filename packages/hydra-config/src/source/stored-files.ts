import type { ResultDefault } from '../defaults/defaults-tree.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import type { Value } from '../value/value.ts'
import { type ValueConfig, ValueFiles } from './value-files.ts'

/** A config that a program holds, as it is composed. */
export interface StoredConfig extends ValueConfig {
  /** The paths of what its type marks as secret. */
  readonly secrets: readonly string[]
  /** A file of the same name, merged over it. */
  over(body: Value, result: ResultDefault, resolve: ResolveOptions): Value
}

/** The files of a source of stored configs: their texts are for who shows them. */
export class StoredFiles extends ValueFiles<StoredConfig> {
  override readonly isStored: boolean = true
}

export function isStoredFiles(files: ReadonlyMap<string, string>): files is StoredFiles {
  return files instanceof ValueFiles && files.isStored
}

/** Both in one: of two with one name the first. */
export function joinedFiles(
  first: ReadonlyMap<string, string>,
  second: ReadonlyMap<string, string>,
): StoredFiles {
  const configsOf = (files: ReadonlyMap<string, string>): ReadonlyMap<string, StoredConfig> =>
    isStoredFiles(files) ? files.configs : new Map()
  const own = [...configsOf(second)].filter(([file]) => !first.has(file))
  return new StoredFiles([...second, ...first], new Map([...own, ...configsOf(first)]))
}
