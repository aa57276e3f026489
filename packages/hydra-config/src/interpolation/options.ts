import type { SecretPaths } from '../secret/secret-paths.ts'
import type { Semantics } from '../semantics.ts'
import type { Environment, Resolvers } from './resolver.ts'
import type { ResolverCache } from './resolver-cache.ts'

/** What interpolations may use. */
export interface ResolveOptions {
  /** What `oc.env` reads; without it no variable is set. */
  readonly environment?: Environment | undefined
  /** Whether what `oc.env` reads of the variable is secret. Default: never. */
  readonly secretEnvironment?: ((name: string) => boolean) | undefined
  /** What is secret wherever it is written. Default: nothing. */
  readonly secretPaths?: SecretPaths | undefined
  /** Resolvers besides those that OmegaConf brings, by name. */
  readonly resolvers?: Resolvers | undefined
  /** Answers of resolvers with `useCache`, to be shared. Default: a new one. */
  readonly cache?: ResolverCache | undefined
  /**
   * With `hydra-1.3` a resolver without `useCache` is called again by every interpolation that leads to it, as in
   * OmegaConf 2.3; with `strict` once for each place where it is written. One that answers with a promise is
   * asked once for each place, in either. Default: `hydra-1.3`.
   */
  readonly semantics?: Semantics | undefined
  /** Ends the wait for resolvers that answer with promises; they get it as well. */
  readonly signal?: AbortSignal | undefined
  /** Takes the warnings of `oc.deprecated`. */
  readonly warn?: ((message: string) => void) | undefined
}
