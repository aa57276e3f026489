/** Where configs come from. */
export interface ConfigSource {
  /** What error messages call it, such as `memory` or a directory. */
  readonly name: string
  /** All files as they are at one moment: paths with `/`, from the root of the source, and their texts. */
  files(): ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>
}

/** A source of texts in memory, for tests and for where there is no file system. */
export function fromMemory(files: Readonly<Record<string, string>>): ConfigSource {
  const texts = new Map(Object.entries(files))
  return { name: 'memory', files: () => texts }
}
