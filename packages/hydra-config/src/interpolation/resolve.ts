import { needFeature } from '../need-feature.ts'
import type { Place } from '../value/place.ts'
import type { Value } from '../value/value.ts'
import type { Calls } from './calls.ts'
import { Content } from './content.ts'
import { Machine } from './machine.ts'
import { unsettled } from './operands.ts'
import type { ResolveOptions } from './options.ts'

/**
 * Resolves the interpolations of one snapshot, as OmegaConf 2.3 does. What was resolved is kept, so that however many
 * interpolations lead to a value, it is evaluated once; see {@link ResolveOptions.semantics} for resolvers.
 */
export class Resolution {
  readonly #calls: Calls | undefined
  readonly machine: Machine
  /** As `OmegaConf.resolve`, and as `to_container(resolve=True)`. */
  readonly #inPlace: Content
  readonly #exact: Content

  /** @throws HydraConfigError `INVALID_OPTION` */
  constructor(options: ResolveOptions = {}) {
    this.#calls = callsOf(options)
    this.machine = new Machine({ options, calls: this.#calls, content: (place) => this.#exact.of(place) })
    this.#inPlace = new Content(this.machine, this.#calls, true)
    this.#exact = new Content(this.machine, this.#calls, false)
  }

  /**
   * The place that the interpolation at a place leads to; the place itself where there is none.
   * @throws HydraConfigError `INTERPOLATION_UNRESOLVED`, `INTERPOLATION_CYCLE`, `INTERPOLATION_PARSE`,
   * `INTERPOLATION_PENDING`
   */
  dereference(place: Place): Place {
    return this.#answered(() => notUnsettled(this.machine.dereference(place)), place)
  }

  /**
   * The place at a path such as `a.b[0]` below `from`; undefined where nothing is.
   * @throws HydraConfigError as {@link Resolution.dereference}
   */
  select(from: Place, path: string, throwOnMissing: boolean = false): Place | undefined {
    const relative = path.startsWith('.') ? path : `.${path}`
    let found: Place | undefined
    this.#answered(() => {
      found = this.machine.find(from, relative, throwOnMissing)
      return found === unsettled ? undefined : from
    }, from)
    return found
  }

  /**
   * The value of a place with every interpolation resolved, as `OmegaConf.to_container(resolve=True)` has it.
   * @throws HydraConfigError as {@link Resolution.dereference}
   */
  content(place: Place): Value {
    return this.#answered(() => this.#exact.of(place), place)
  }

  /**
   * As {@link Resolution.content}, but what leads to a missing value is missing (`???`), as `OmegaConf.resolve` has it.
   * @throws HydraConfigError as {@link Resolution.dereference}
   */
  all(root: Place): Value {
    return this.#answered(() => this.#inPlace.of(root), root)
  }

  /**
   * Asks every resolver that answers with a promise, all at once where they do not need each other, and waits for them.
   * Afterwards the other methods have their answers. Each resolver that the configuration mentions is called, also one that
   * answers at once, and what it answered stays. Other errors wait until somebody wants the value.
   * @throws HydraConfigError `INTERPOLATION_UNRESOLVED` where one is rejected, `ABORTED` by the signal
   */
  async settle(root: Place): Promise<void> {
    await this.#calls?.settle(root, this.machine, (place) => void this.#inPlace.of(place))
  }

  /** Tells of what no promise has answered yet. */
  #answered<Result>(find: () => Result | undefined, place: Place): Result {
    this.machine.forgetUnsettled()
    const found = find()
    if (found !== undefined) return found
    // Nothing is unsettled but by them.
    throw this.#calls?.pending(place)
  }
}

function callsOf(options: ResolveOptions): Calls | undefined {
  const { parts, resolvers = {} } = options
  if (parts?.calls !== undefined) return parts.calls(options)
  const [name] = Object.keys(resolvers)
  if (name === undefined) return undefined
  return needFeature(`the resolver '${name}'`, 'userResolvers')
}

function notUnsettled(place: Place): Place | undefined {
  return place === unsettled ? undefined : place
}

export type { ResolveOptions } from './options.ts'
