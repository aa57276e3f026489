import type { Value } from '../value/value.ts'
import type { Place } from './place.ts'

/** What an environment variable holds; undefined where it is not set. */
export type Environment = (name: string) => string | undefined

/** What a resolver may use: where the interpolation stands, and the search through the configuration. */
export interface ResolverContext {
  /** The string that is resolved. */
  readonly node: Place
  /** The map or list that holds it. */
  readonly parent: Place
  readonly environment: Environment
  readonly warn: (message: string) => void
  /** Finds a value by a path from the root, or from `parent` where it begins with a dot. */
  select(path: string, throwOnMissing: boolean): Place | undefined
  /** Reads a text as an argument is read. */
  decode(text: string): Value
}

/** Answers `${name:argument,…}`: a place of the configuration, or a value of its own. Arguments are places too, for they may be parts of the configuration. */
export type Resolver = (args: readonly Place[], context: ResolverContext) => Place | Value
