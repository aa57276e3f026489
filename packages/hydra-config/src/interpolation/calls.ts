import type { HydraConfigError } from '../errors.ts'
import type { Place } from '../value/place.ts'
import type { Value } from '../value/value.ts'
import type { Combination } from './program.ts'

/** One call of a resolver in the text of a node. */
export interface Called {
  readonly name: string
  readonly node: Place
  /** Where in the texts of the node it is called: the same at each evaluation. */
  readonly at: string
  /** The arguments as they are written. */
  readonly sources: readonly string[]
  /** Whether a secret was given to it, as the name, as an argument or as what it selected. */
  readonly secret: boolean
}

/** What calls need of the machine that evaluates interpolations. */
export interface Evaluator {
  find(from: Place, path: string, throwOnMissing: boolean): Place | undefined
  /** All that a place holds, resolved; undefined where it is unsettled. */
  content(place: Place): Value | undefined
  dereference(place: Place): Place
  keep(place: Place, target: Place): void
  forgetUnsettled(): void
}

/** The calls of resolvers that are not OmegaConf's own. */
export interface Calls {
  /** How many answers were given that are not kept: an evaluation during which it grows must not be kept either. */
  readonly unkept: number
  has(name: string): boolean
  /**
   * Told how many values were evaluated for one, and not kept.
   * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED` for too many
   */
  count(unkept: number): void
  /** The error of what no promise has answered yet. */
  pending(place: Place): HydraConfigError
  /** Tells of a list or dict that was made for an argument. */
  made(place: Place, step: Combination, operands: readonly Place[]): void
  /**
   * The answer, unsettled while it is awaited.
   * @throws {HydraConfigError} `INTERPOLATION_UNRESOLVED`
   */
  ask(called: Called, parent: Place, args: readonly Place[], evaluator: Evaluator): Place
  /** Asks all that a configuration mentions; `resolve` resolves what an interpolation of it leads to. */
  settle(root: Place, evaluator: Evaluator, resolve: (place: Place) => void): Promise<void>
}
