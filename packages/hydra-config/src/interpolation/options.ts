import type { SecretPaths } from '../secret/secret-paths.ts'
import type { Semantics } from '../semantics.ts'
import type { Place } from '../value/place.ts'
import type { Origin, Value } from '../value/value.ts'
import type { Calls } from './calls.ts'
import type { Frame } from './frame.ts'
import type { Machine } from './machine.ts'
import type { CallStep, Program } from './program.ts'
import type { Environment, Resolvers } from './resolver.ts'
import type { ResolverCache } from './resolver-cache.ts'
import type { Taint } from './taint.ts'

/** Calls of resolvers, those that OmegaConf brings among them. */
export interface ResolverCalls {
  /** @throws HydraConfigError `INTERPOLATION_PARSE` */
  compile(text: string, keeps: boolean): Program
  /** Whether another frame has to be done first. */
  call(frame: Frame, step: CallStep, machine: Machine): boolean
  /**
   * Refuses a string that is no interpolation.
   * @throws HydraConfigError `INTERPOLATION_PARSE`
   */
  check(text: string, origin?: Origin): void
}

/** What the resolution can do besides, given by who needs it. */
export interface ResolutionParts {
  /** Without it, `${name:…}` is refused. */
  readonly resolverCalls?: ResolverCalls
  /** Makes secret what comes of secrets. Without it there may be none. */
  readonly taint?: () => Taint
  /** Calls `resolvers`. Without it there may be none. */
  readonly calls?: (options: ResolveOptions) => Calls
  /** Reads the text of `oc.create`. Without it there may be none. */
  readonly yaml?: (text: string, check: ResolverCalls['check']) => Value
  /** What a message adds of keys that are like one that is not there. */
  readonly suggestion?: (name: string, candidates: Iterable<string>) => string
}

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
  /** Takes the warnings of `oc.deprecated`, and of a primary config that does not say where its own values stand. */
  readonly warn?: ((message: string) => void) | undefined
  /** Functions of this package add theirs. */
  readonly parts?: ResolutionParts | undefined
}

/** What a resolver of OmegaConf answers: a place, a value of its own, or what has to be done first. */
export type BuiltInAnswer = Place | Value | Search | Evaluation

/** A search from the root, or with a leading dot from the map or list that holds the interpolation. */
export interface Search {
  readonly kind: 'search'
  readonly path: string
  readonly throwOnMissing: boolean
  /** Given what was found, undefined where nothing was. */
  receive(found: Place | undefined): Place | Value
}

/** A text to be read as an argument is, and evaluated where the interpolation stands. */
export interface Evaluation {
  readonly kind: 'evaluation'
  readonly text: string
  readonly program: Program
}

/** Where a resolver of OmegaConf is called from. */
export interface CallSite {
  readonly node: Place
  readonly parent: Place
  readonly options: ResolveOptions
  readEnvironment(name: string): string | undefined
}

/** One of the resolvers that OmegaConf brings. */
export type BuiltIn = (args: readonly Place[], site: CallSite) => BuiltInAnswer
