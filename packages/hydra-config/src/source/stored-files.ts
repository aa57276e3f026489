import type { ResultDefault } from '../defaults/defaults-tree.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import type { StructType } from '../value/typing.ts'
import type { Value } from '../value/value.ts'

/** A config that a program holds, as it is composed: no text is parsed. */
export interface StoredConfig {
  readonly value: Value
  /** Of a structured config: its type. */
  readonly struct: StructType | undefined
  /** As `# @package` of a file. */
  readonly package: string | undefined
  /** A file of the same name, merged over it. */
  over(body: Value, result: ResultDefault, resolve: ResolveOptions): Value
}

/** The files of a source of stored configs: their texts are for who shows them. */
export class StoredFiles extends Map<string, string> {
  /** By the path of the file, `.yaml` included. */
  readonly configs: ReadonlyMap<string, StoredConfig>

  constructor(texts: Iterable<readonly [string, string]>, configs: ReadonlyMap<string, StoredConfig>) {
    super(texts)
    this.configs = configs
  }
}

/** The stored config of a file; undefined for a file with a text, and where there is none. */
export function storedConfig(files: ReadonlyMap<string, string>, file: string): StoredConfig | undefined {
  return files instanceof StoredFiles ? files.configs.get(file) : undefined
}

/** Both in one: of two with one name the first. */
export function joinedFiles(
  first: ReadonlyMap<string, string>,
  second: ReadonlyMap<string, string>,
): StoredFiles {
  const configsOf = (files: ReadonlyMap<string, string>): ReadonlyMap<string, StoredConfig> =>
    files instanceof StoredFiles ? files.configs : new Map()
  const own = [...configsOf(second)].filter(([file]) => !first.has(file))
  return new StoredFiles([...second, ...first], new Map([...own, ...configsOf(first)]))
}
