import { HydraConfigError } from '../errors.ts'
import type { StructType } from '../value/typing.ts'
import type { Value } from '../value/value.ts'

/** A config that is a value: no text is read for it. */
export interface ValueConfig {
  readonly value: Value
  /** As `# @package` of a file. */
  readonly header: string | undefined
  /** Of a structured config: its type. */
  readonly struct?: StructType | undefined
}

/** The files of a source some configs of which are values; the text of such a one may be missing. */
export class ValueFiles<Config extends ValueConfig = ValueConfig> extends Map<string, string> {
  /** By the path of the file, `.yaml` included. */
  readonly configs: ReadonlyMap<string, Config>
  /** Whether they are a program's own, the last of every search path; see `StoredFiles`. */
  readonly isStored: boolean = false

  constructor(texts: Iterable<readonly [string, string]>, configs: ReadonlyMap<string, Config>) {
    super([...Array.from(configs.keys(), (path) => [path, ''] as const), ...texts])
    this.configs = configs
  }

  override get(path: string): string | undefined {
    const text = super.get(path)
    if (text !== '' || !this.configs.has(path)) return text
    throw new HydraConfigError('SOURCE_READ', `the config '${path}' is a value, which has no text`)
  }
}
