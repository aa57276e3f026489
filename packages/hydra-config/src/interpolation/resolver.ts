/** What an environment variable holds; undefined where it is not set. */
export type Environment = (name: string) => string | undefined

/** What a resolver is given after its arguments. */
export interface ResolverContext {
  /** Where the interpolation stands, such as `db.password`. */
  readonly path: string
  /** Aborted when nobody waits for the answer any more: hand it to what the resolver waits for. */
  readonly signal: AbortSignal
  /**
   * The resolved value at a path from the root, or with a leading dot from the map or list that holds the
   * interpolation; undefined where there is nothing or `???`. Only before the first `await` of the resolver.
   */
  select(path: string): unknown
}

/**
 * Answers `${name:argument,…}`. It is called with the arguments, read as Hydra reads values of overrides, and a
 * {@link ResolverContext}. Arguments are plain: strings, booleans, null, numbers (bigints where a number would not hold
 * the integer), arrays and objects. The answer is such a value as well, a value of {@link secret}, or a promise of one.
 */
export type ResolverFunction = (...args: never[]) => unknown

/** A resolver whose answers are kept. */
export interface ResolverDefinition {
  readonly resolve: ResolverFunction
  /**
   * Whether one answer serves every interpolation of the configuration with the same arguments, compared as they are
   * written: `${now:%H}` is one time, however often it is written. Such a resolver cannot `select`. Default: false.
   */
  readonly useCache?: boolean
}

/** Resolvers by name: names (`[A-Za-z_][A-Za-z0-9_-]*`) joined by dots, those of OmegaConf (`oc.env`, …) excepted. */
export type Resolvers = Readonly<Record<string, ResolverFunction | ResolverDefinition>>
