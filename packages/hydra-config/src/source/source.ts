/**
 * Where configs come from. Hydra names the places of its search path itself (`hydra`, `main`, `command-line`, …), so a
 * source only knows where it is.
 */
export interface ConfigSource {
  /** As Hydra prints it, such as `file:///srv/app/conf`, `pkg://app/conf` or `memory://`. */
  readonly path: string
  /**
   * All files as they were at one moment: paths with `/`, from the root of the source, and their texts. A path with a
   * `/` at its end is a config group without configs. `get` throws for a file that is there and cannot be read, so
   * that one that nobody asks for harms nobody.
   *
   * @throws {HydraConfigError} `SOURCE_NOT_FOUND`, `SOURCE_READ`
   */
  files(signal?: AbortSignal): ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>>
  /**
   * Tells whenever the files may have changed, until `signal` aborts; it then ends and leaves nothing behind. The first
   * telling says that it stands: what changes afterwards is told. Throws where it cannot go on.
   */
  watch?(signal: AbortSignal): AsyncIterable<void>
}
